import { describe, expect, it } from 'vitest';
import { checkCel } from './cel-check.ts';

const names = ['object', 'variables'];

describe('checkCel', () => {
  it.for([
    ['object.spec.replicas > 3 && has(object.metadata.labels)', 'bool'],
    ['object.items.all(item, item.size() < 3)', 'bool'],
    ["'a' + 'b'", 'string'],
    ['1', 'int'],
    ['object.name', 'dyn'],
    ['object.a ? [1, 2] : [3]', 'list'],
    ['{"a": 1}', 'map'],
  ] as const)('%s is %s', ([text, type]) => {
    expect(checkCel(text, { names })).toEqual({ type });
  });

  it.for([
    ['Bad Value!', "ERROR: <input>:1:5: Syntax error: mismatched input 'Value' expecting <EOF>\n | Bad Value!\n | ....^"],
    ['foo == 1', "ERROR: <input>:1:1: undeclared reference to 'foo' (in container '')\n | foo == 1\n | ^"],
    ['variables.b', "ERROR: <input>:1:10: undefined field 'b'\n | variables.b\n | .........^"],
    ['object.', "ERROR: <input>:1:8: Syntax error: no viable alternative at input '.'\n | object.\n | .......^"],
  ] as const)('%s is refused', ([text, error]) => {
    expect(checkCel(text, { names, fields: { variables: ['a'] } })).toEqual({ error });
  });
});
