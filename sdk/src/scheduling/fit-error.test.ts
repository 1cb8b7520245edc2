import { expect, it } from 'vitest';
import { fitError } from './fit-error.ts';

it('counts nodes by reason, sorted as text as upstream sorts them', () => {
  const reasons = new Map([
    ['node(s) had untolerated taint(s)', 3],
    ['Insufficient cpu', 2],
    ['Insufficient memory', 10],
  ]);
  expect(fitError(15, reasons)).toBe(
    '0/15 nodes are available: 10 Insufficient memory, 2 Insufficient cpu, 3 node(s) had untolerated taint(s).',
  );
});

it('says what a preFilter said of all nodes, and what preemption found', () => {
  expect(fitError(5, new Map(), ['pod affinity terms conflict'])).toBe('0/5 nodes are available: pod affinity terms conflict.');
  expect(
    fitError(
      1,
      new Map([['Too many pods', 1]]),
      undefined,
      'preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.',
    ),
  ).toBe('0/1 nodes are available: 1 Too many pods. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.');
});
