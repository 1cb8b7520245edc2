/** More owners than this are asked for again. */
const REMEMBERED = 500;

/**
 * Owners that the server said do not exist: an owner of a thousand objects is asked for once. A uid never comes back, so
 * "absent" stays true; "present" is not remembered.
 */
export class AbsentOwners {
  readonly #absent = new Set<string>();
  readonly #asking = new Map<string, Promise<boolean>>();

  async check(key: string, ask: () => Promise<boolean>): Promise<boolean> {
    if (this.#absent.has(key)) return true;
    let asking = this.#asking.get(key);
    if (!asking) {
      asking = ask().finally(() => this.#asking.delete(key));
      this.#asking.set(key, asking);
    }
    const isAbsent = await asking;
    if (isAbsent) {
      this.#absent.add(key);
      if (this.#absent.size > REMEMBERED) {
        for (const oldest of this.#absent) {
          this.#absent.delete(oldest);
          break;
        }
      }
    }
    return isAbsent;
  }
}
