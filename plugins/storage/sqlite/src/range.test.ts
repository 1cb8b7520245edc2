import { describe, expect, it } from 'vitest';
import { keyRange } from './range.ts';

describe('the range of a prefix', () => {
  it('ends before the first key that does not have it', () => {
    expect(keyRange('core/pods/')).toEqual({ from: 'core/pods/', to: 'core/pods0' });
    expect(keyRange('')).toEqual({ from: '', to: new Uint8Array(0) });
    expect(keyRange('a\u{10ffff}')).toEqual({ from: 'a\u{10ffff}', to: 'b' });
    expect(keyRange('\ud7ff').to).toBe('\ue000');
  });

  it('starts after a key, but never before the prefix', () => {
    expect(keyRange('p/', 'p/3').from).toBe('p/3\0');
    expect(keyRange('p/', 'a').from).toBe('p/');
  });
});
