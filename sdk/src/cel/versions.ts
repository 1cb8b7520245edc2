import type { CelEnvironment } from './engine.ts';

/** A semantic version (https://semver.org), as Kubernetes' semver library reads it. */
class Semver {
  readonly numbers: readonly [bigint, bigint, bigint];
  readonly pre: string;

  constructor(text: string) {
    const parts = PATTERN.exec(text);
    if (!parts) throw new Error(`No Major.Minor.Patch elements found in ${JSON.stringify(text)}`);
    this.numbers = [BigInt(parts[1] as string), BigInt(parts[2] as string), BigInt(parts[3] as string)];
    this.pre = parts[4] ?? '';
  }

  compare(other: Semver): number {
    for (const [index, number] of this.numbers.entries()) {
      const its = other.numbers[index] as bigint;
      if (number !== its) return number < its ? -1 : 1;
    }
    if (this.pre === other.pre) return 0;
    if (this.pre === '' || other.pre === '') return this.pre === '' ? 1 : -1;
    return comparePre(this.pre.split('.'), other.pre.split('.'));
  }
}

const PATTERN =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/;

function comparePre(a: readonly string[], b: readonly string[]): number {
  for (let index = 0; index < Math.min(a.length, b.length); index++) {
    const [left, right] = [a[index] as string, b[index] as string];
    if (left === right) continue;
    const numeric = [left, right].map((part) => /^\d+$/.test(part));
    if (numeric[0] && numeric[1]) return Number(left) < Number(right) ? -1 : 1;
    if (numeric[0] !== numeric[1]) return numeric[0] ? -1 : 1;
    return left < right ? -1 : 1;
  }
  return Math.sign(a.length - b.length);
}

/** `v1.2` -> `1.2.0`: what the second argument of `semver` asks for. */
function normalized(text: string): string {
  const [core = '', ...rest] = text.replace(/^v/, '').split(/(?=[-+])/);
  const numbers = core.split('.').map((part) => part.replace(/^0+(?=\d)/, ''));
  while (numbers.length < 3) numbers.push('0');
  return numbers.join('.') + rest.join('');
}

export function registerVersions(environment: CelEnvironment): void {
  const add = (signature: string, handler: (...given: never[]) => unknown): unknown =>
    environment.registerFunction(signature, handler as never);
  environment.registerType('Semver', Semver as never);
  add('isSemver(string): bool', (text: string) => PATTERN.test(text));
  add('isSemver(string, bool): bool', (text: string, lenient: boolean) => PATTERN.test(lenient ? normalized(text) : text));
  add('semver(string): Semver', (text: string) => new Semver(text));
  add('semver(string, bool): Semver', (text: string, lenient: boolean) => new Semver(lenient ? normalized(text) : text));
  add('Semver.major(): int', ({ numbers }: Semver) => numbers[0]);
  add('Semver.minor(): int', ({ numbers }: Semver) => numbers[1]);
  add('Semver.patch(): int', ({ numbers }: Semver) => numbers[2]);
  add('Semver.compareTo(Semver): int', (a: Semver, b: Semver) => BigInt(a.compare(b)));
  add('Semver.isGreaterThan(Semver): bool', (a: Semver, b: Semver) => a.compare(b) > 0);
  add('Semver.isLessThan(Semver): bool', (a: Semver, b: Semver) => a.compare(b) < 0);
  environment.registerOperator('Semver == Semver', ((a: Semver, b: Semver) => a.compare(b) === 0) as never);
}
