/**
 * What the layout has to remember of the file, because asking the file would cost more: which groups are
 * there, how long the tables are, which comments were seen. The `.cnt` file carries it from commit to
 * commit, so that a continued experiment remembers the same.
 */
import type { MemoryDelta } from '../journal/cnt-record.ts'

export class LayoutMemory {
  readonly #recordedTexts: MemoryDelta['added']
  readonly #values = new Map<string, number | boolean>()
  #addedTexts: Record<string, string[]> = {}
  readonly #changedValues = new Set<string>()

  /** @param recorded all deltas of the past together */
  constructor(recorded: MemoryDelta = { added: {}, values: {} }) {
    this.#recordedTexts = recorded.added
    for (const [name, value] of Object.entries(recorded.values)) this.#values.set(name, value)
  }

  /** What was read from a file that no `.cnt` file tells of: it is remembered as if it had been recorded, and recorded now. */
  static of(found: MemoryDelta): LayoutMemory {
    const memory = new LayoutMemory(found)
    for (const [set, texts] of Object.entries(found.added)) for (const text of texts) memory.add(set, text)
    for (const name of Object.keys(found.values)) memory.#changedValues.add(name)
    return memory
  }

  /** The texts of a set that were committed before this process began. */
  recordedTexts(set: string): readonly string[] {
    return this.#recordedTexts[set] ?? []
  }

  add(set: string, text: string): void {
    const texts = this.#addedTexts[set]
    if (texts === undefined) this.#addedTexts[set] = [text]
    else texts.push(text)
  }

  value(name: string): number | boolean | undefined {
    return this.#values.get(name)
  }

  set(name: string, value: number | boolean): void {
    this.#values.set(name, value)
    this.#changedValues.add(name)
  }

  /** What has changed since the last call. It belongs into the commit of the operations that changed it. */
  takeDelta(): MemoryDelta {
    const values: Record<string, number | boolean> = {}
    for (const name of this.#changedValues) values[name] = this.#values.get(name) as number | boolean
    const delta = { added: this.#addedTexts, values }
    this.#addedTexts = {}
    this.#changedValues.clear()
    return delta
  }
}
