/**
 * What the layout remembers about the file, because reading it would cost more: existing groups, lengths of tables,
 * known comments. The `.cnt` file records it with each commit, so that a continued experiment has the same memory.
 */
import type { MemoryDelta } from '../journal/cnt-record.ts'

export class LayoutMemory {
  readonly #recordedTexts: MemoryDelta['added']
  readonly #values = new Map<string, number | boolean>()
  #addedTexts: Record<string, string[]> = {}
  readonly #changedValues = new Set<string>()

  /** @param recorded all earlier changes combined */
  constructor(recorded: MemoryDelta = { added: {}, values: {} }) {
    this.#recordedTexts = recorded.added
    for (const [name, value] of Object.entries(recorded.values)) this.#values.set(name, value)
  }

  /** Data read from a file without a `.cnt` file. It is remembered as if recorded, and is recorded now. */
  static of(found: MemoryDelta): LayoutMemory {
    const memory = new LayoutMemory(found)
    for (const [set, texts] of Object.entries(found.added)) for (const text of texts) memory.add(set, text)
    for (const name of Object.keys(found.values)) memory.#changedValues.add(name)
    return memory
  }

  /** The texts of a set that were committed before this process started. */
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

  /** The changes since the last call. They belong to the commit of the operations that caused them. */
  takeDelta(): MemoryDelta {
    const values: Record<string, number | boolean> = {}
    for (const name of this.#changedValues) values[name] = this.#values.get(name) as number | boolean
    const delta = { added: this.#addedTexts, values }
    this.#addedTexts = {}
    this.#changedValues.clear()
    return delta
  }
}
