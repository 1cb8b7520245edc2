import type { ScalarKind } from '@kubernel/sdk';
import { NumberText } from './exact-json.ts';
import { canonicalMicroTime, canonicalTime } from './go-time.ts';
import { IRREGULAR, isNumber, numberText, Unreadable, wrong } from './reading.ts';
import { base64Text, QUANTITY_FORMAT_ERROR, quantityText } from './scalars.ts';
import type { Read } from './type-reader.ts';
import { readFree } from './untyped.ts';

/** Readers of scalar types. */
export function scalarReader(scalar: ScalarKind, goType: string): Read {
  switch (scalar) {
    case 'string':
      return (value, pass) => (typeof value === 'string' ? value : wrong(value, goType, pass));
    case 'bool':
      return (value, pass) => (typeof value === 'boolean' ? value : wrong(value, goType, pass));
    case 'int32':
      return integerReader(goType, -2147483648, 2147483647);
    case 'int64':
      return integerReader(goType, -(2 ** 63), 2 ** 63);
    case 'float64':
      return (value, pass) => (isNumber(value) ? Number(numberText(value)) : wrong(value, goType, pass));
    case 'bytes':
      return bytesReader(goType);
    case 'time':
      return textReader(canonicalTime);
    case 'microtime':
      return textReader(canonicalMicroTime);
    case 'duration':
      return textReader((text) => text);
    case 'quantity':
      return quantityReader(false);
    case 'intorstring':
      return readIntOrString;
    default:
      return readFree;
  }
}

function integerReader(goType: string, min: number, max: number): Read {
  return (value, pass) => {
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value === 0 ? 0 : value;
    if (!isNumber(value)) return wrong(value, goType, pass);
    if (!pass.careful) return wrong(value, goType, pass);
    if (value instanceof NumberText && /^-?\d+$/.test(value.text) && value.value >= min && value.value < max) return value.value;
    return pass.careful.wrongNumber(value, goType);
  };
}

function bytesReader(goType: string): Read {
  return (value, pass) => {
    if (Array.isArray(value)) {
      if (!pass.careful) return wrong(value, goType, pass);
      return Buffer.from(value.map((item) => (isNumber(item) ? Number(numberText(item)) : 0))).toString('base64');
    }
    if (typeof value !== 'string') return wrong(value, goType, pass);
    try {
      return base64Text(value);
    } catch (error) {
      if (!pass.careful) throw pass.trusting ? error : IRREGULAR;
      pass.careful.wrongType ??= (error as Error).message;
      return undefined;
    }
  };
}

/** Go types that read themselves from a JSON string. */
function textReader(canonical: (text: string) => string): Read {
  return (value, pass) => {
    if (typeof value !== 'string') {
      if (pass.careful) return pass.careful.unreadableType(value, 'string');
      return wrong(value, 'string', pass);
    }
    try {
      return canonical(value);
    } catch (error) {
      if (pass.careful) throw new Unreadable((error as Error).message);
      throw pass.trusting ? error : IRREGULAR;
    }
  };
}

/** `milli`: rounded up to thousandths. */
export function quantityReader(milli: boolean): Read {
  return (value, pass) => {
    try {
      if (typeof value === 'string') return quantityText(value, milli);
      if (isNumber(value)) return quantityText(numberText(value), milli);
    } catch (error) {
      if (pass.careful) throw new Unreadable((error as Error).message);
      throw pass.trusting ? error : IRREGULAR;
    }
    if (pass.careful) throw new Unreadable(QUANTITY_FORMAT_ERROR);
    return wrong(value, 'resource.Quantity', pass);
  };
}

const readIntOrString: Read = (value, pass) => {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' && Number.isInteger(value) && value >= -2147483648 && value <= 2147483647) return value;
  if (pass.careful) return pass.careful.unreadableType(value, 'int32');
  return wrong(value, 'int32', pass);
};
