/** A column in the page: numbers to draw and to sort by, and the exact texts. */
import { ARRAY_TYPES, type NumericDtype, type TypedArray } from '../../values/typed-array.ts'
import type { ColumnPart, Message, ViewColumn } from '../view-protocol.ts'
import { exactText, shortText } from './number-text.ts'
import { rangeOf } from './range.ts'

export class PageColumn {
  readonly info: ViewColumn
  readonly runCount: number
  /** 1 where a run has a value. */
  readonly has: Uint8Array
  /** NaN without a number. Categories are numbered in their order. */
  readonly numbers: Float64Array
  /** Grows with each change. */
  version = 0
  /** In order. Undefined for numbers. */
  categories: readonly string[] | undefined
  /** As stored, where a float64 would not do. */
  #exact: TypedArray | undefined
  #dtype: NumericDtype = 'float64'
  #complex: Float64Array | undefined
  #isMixed = false
  #form: string | undefined
  readonly #memory = new Map<string, { readonly version: number; readonly value: unknown }>()
  readonly #codes: Uint32Array
  readonly #texts: string[] = []
  readonly #codeByText = new Map<string, number>()

  constructor(info: ViewColumn, runCount: number) {
    this.info = info
    this.runCount = runCount
    this.has = new Uint8Array(runCount)
    this.numbers = new Float64Array(runCount).fill(Number.NaN)
    this.#codes = new Uint32Array(runCount)
  }

  get name(): string {
    return this.info.name
  }

  get isCategory(): boolean {
    return this.categories !== undefined
  }

  /**
   * Takes the next arrays of the message as rows.
   *
   * @returns false if they are of another form than the rows before: then all rows are needed again
   */
  take(part: ColumnPart, message: Message<unknown>): boolean {
    const { start, count, hasFlags, values } = part
    const form = values.form === 'number' ? values.dtype : values.form
    const flags = hasFlags ? message.take(Uint8Array) : undefined
    if (flags === undefined) this.has.fill(1, start, start + count)
    else this.has.set(flags, start)
    const isEmpty = flags !== undefined && !flags.includes(1)
    // Rows without values say nothing about the form.
    const isOther = this.#form !== undefined && this.#form !== form && !isEmpty
    if (!isEmpty) this.#form = form
    this.version += 1
    if (isEmpty || isOther) {
      this.numbers.fill(Number.NaN, start, start + count)
      message.take(Uint8Array)
      if (values.form === 'mixed') message.take(Uint8Array)
      return !isOther
    }
    switch (values.form) {
      case 'number':
        this.#takeNumbers(start, message.take<TypedArray>(ARRAY_TYPES[values.dtype] as never), values.dtype)
        break
      case 'bool':
        this.#takeTexts(start, Uint32Array.from(message.take(Uint8Array)), ['false', 'true'])
        break
      case 'complex':
        this.#takeComplex(start, message.take(Float64Array))
        break
      case 'text':
        this.#takeTexts(start, message.take(Uint32Array), values.texts)
        break
      case 'mixed': {
        this.#isMixed = true
        this.#takeTexts(start, message.take(Uint32Array), values.texts)
        this.numbers.set(message.take(Float64Array), start)
        break
      }
    }
    return true
  }

  /** The least and the most of the finite numbers. */
  get range(): readonly [number, number] {
    return this.#remember('range', () => rangeOf(this.numbers))
  }

  /** Runs without a value, and with one that has no place on an axis: NaN, infinite, or no number. */
  get absences(): { readonly missing: number; readonly other: number } {
    return this.#remember('absences', () => {
      let [missing, other] = [0, 0]
      for (let run = 0; run < this.runCount; run += 1) {
        if (this.has[run] !== 1) missing += 1
        else if (!Number.isFinite(this.numbers[run] as number)) other += 1
      }
      return { missing, other }
    })
  }

  /** The different numbers in order. Undefined if there are more than `countMax`. */
  distinct(countMax: number): readonly number[] | undefined {
    return this.#remember(`distinct ${countMax}`, () => {
      const numbers = new Set<number>()
      for (const number of this.numbers) {
        if (Number.isNaN(number)) continue
        numbers.add(number)
        if (numbers.size > countMax) return undefined
      }
      return [...numbers].sort((one, other) => one - other)
    })
  }

  /** Until the column changes. */
  #remember<Value>(name: string, compute: () => Value): Value {
    const known = this.#memory.get(name)
    if (known?.version === this.version) return known.value as Value
    const value = compute()
    this.#memory.set(name, { version: this.version, value })
    return value
  }

  /** Few digits, for tables. */
  text(run: number): string {
    if (this.has[run] !== 1) return '–'
    if (this.#complex !== undefined) return this.#complexText(run, (part) => shortText(part))
    if (this.categories !== undefined || this.#isMixed) return this.#texts[this.#codes[run] as number] ?? ''
    return this.#exact === undefined ? shortText(this.numbers[run] as number) : String(this.#exact[run])
  }

  /** All digits, as stored. */
  fullText(run: number): string {
    if (this.has[run] !== 1) return 'no value'
    if (this.#complex !== undefined) return this.#complexText(run, String)
    if (this.categories !== undefined || this.#isMixed || this.#exact !== undefined) return this.text(run)
    return exactText(this.numbers[run] as number, this.#dtype)
  }

  #complexText(run: number, textOf: (part: number) => string): string {
    const parts = this.#complex as Float64Array
    const [real, imaginary] = [parts[2 * run] as number, parts[2 * run + 1] as number]
    return `${textOf(real)}${imaginary < 0 ? '−' : '+'}${textOf(Math.abs(imaginary))}i`
  }

  #takeNumbers(start: number, values: TypedArray, dtype: NumericDtype): void {
    this.#dtype = dtype
    if (values instanceof BigInt64Array || values instanceof BigUint64Array) {
      this.#exact ??= new ARRAY_TYPES[dtype](this.runCount)
      this.#exact.set(values as never, start)
      for (let row = 0; row < values.length; row += 1) this.numbers[start + row] = Number(values[row])
    } else {
      this.numbers.set(values, start)
    }
    for (let row = start; row < start + values.length; row += 1) {
      if (this.has[row] !== 1) this.numbers[row] = Number.NaN
    }
  }

  #takeComplex(start: number, parts: Float64Array): void {
    this.#complex ??= new Float64Array(2 * this.runCount)
    this.#complex.set(parts, 2 * start)
    for (let row = 0; row < parts.length / 2; row += 1) {
      this.numbers[start + row] = Math.hypot(parts[2 * row] as number, parts[2 * row + 1] as number)
    }
  }

  #takeTexts(start: number, codes: Uint32Array, texts: readonly string[]): void {
    const known = this.#texts.length
    const ownCodes = texts.map((text) => this.#codeOf(text))
    for (let row = 0; row < codes.length; row += 1) {
      this.#codes[start + row] = ownCodes[codes[row] as number] as number
    }
    if (this.#isMixed) return
    const isNew = this.#texts.length > known
    if (isNew || this.categories === undefined) {
      this.categories = this.#texts.toSorted(this.info.dtype === 'bool' ? undefined : compareTexts)
    }
    const rankByText = new Map(this.categories.map((text, rank) => [text, rank]))
    const ranks = this.#texts.map((text) => rankByText.get(text) as number)
    const [from, to] = isNew ? [0, this.runCount] : [start, start + codes.length]
    for (let run = from; run < to; run += 1) {
      this.numbers[run] = this.has[run] === 1 ? (ranks[this.#codes[run] as number] as number) : Number.NaN
    }
  }

  #codeOf(text: string): number {
    let code = this.#codeByText.get(text)
    if (code === undefined) {
      code = this.#texts.push(text) - 1
      this.#codeByText.set(text, code)
    }
    return code
  }
}

/** `run 2` comes before `run 10`. */
const compareTexts = new Intl.Collator('en', { numeric: true }).compare
