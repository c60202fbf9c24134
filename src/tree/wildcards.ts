/** Names that depend on the run: `$`, `$set`, and the user's own wildcards (pypet `pypetconstants.py`). */
import { PypetError } from '../errors.ts'
import { runName, runSetName } from '../names.ts'
import type { RunIndex } from '../values/path.ts'

/** The name for a run; -1 stands for no run. */
export type WildcardFunction = (run: RunIndex) => string

const DEFAULT_WILDCARDS: Readonly<Record<string, WildcardFunction>> = {
  $: (run) => (run < 0 ? 'run_ALL' : runName(run)),
  $set: (run) => (run < 0 ? 'run_set_ALL' : runSetName(run)),
}

/** Aliases, as in pypet. */
const SYNONYMS: Readonly<Record<string, string>> = { crun: '$', crunset: '$set' }

export class Wildcards {
  readonly #functions: Map<string, WildcardFunction>

  /** @param own functions by name. Names start with `$` */
  constructor(own: Readonly<Record<string, WildcardFunction>> = {}) {
    this.#functions = new Map(Object.entries({ ...DEFAULT_WILDCARDS, ...own }))
    for (const name of Object.keys(own)) {
      if (/^\$[A-Za-z0-9_-]+$/.test(name)) continue
      throw new PypetError('PYPET_NAME_ILLEGAL', `${JSON.stringify(name)} is not a name for a wildcard`, {
        where: name,
        hint: 'Start it with "$", followed by letters, digits, "_" and "-".',
      })
    }
  }

  get names(): readonly string[] {
    return [...this.#functions.keys()]
  }

  has(part: string): boolean {
    return this.#functions.has(SYNONYMS[part] ?? part)
  }

  /**
   * The name that a wildcard stands for in a run.
   *
   * @throws PypetError `PYPET_WILDCARD_UNKNOWN`
   */
  resolve(part: string, run: RunIndex): string {
    const replace = this.#functions.get(SYNONYMS[part] ?? part)
    if (replace !== undefined) return replace(run)
    throw new PypetError('PYPET_WILDCARD_UNKNOWN', `there is no wildcard ${part}`, {
      where: part,
      hint: `Available: ${this.names.join(', ')}.`,
    })
  }

  /** The name with its wildcards replaced. Refuses `$` parts that are not wildcards. */
  replace(name: string, run: RunIndex): string {
    if (!name.includes('$')) return name
    const parts = name.split('.')
    return parts.map((part) => (part.startsWith('$') ? this.resolve(part, run) : part)).join('.')
  }
}
