/**
 * Reads the elements of an array of Python objects, as numpy pickles it (protocols 3 to 5). Data only: it accepts the
 * opcodes of numbers, texts, lists and tuples, and the four numpy names that such a pickle needs. Nothing is looked up
 * or called. Anything else makes it unreadable.
 */

/** Python's `int` becomes a bigint, its `float` a number. */
export type PickledElement = number | bigint | boolean | string | null

/** In C order; undefined for any other pickle. */
export function pickledElements(bytes: Uint8Array): readonly PickledElement[] | undefined {
  try {
    const array = new Unpickler(bytes).run()
    if (!(array instanceof ObjectArray) || array.elements === undefined) return undefined
    const isPlain = array.elements.every((element) => element === null || typeof element !== 'object')
    return isPlain ? (array.elements as PickledElement[]) : undefined
  } catch {
    return undefined
  }
}

/** For numpy 1 and numpy 2. */
const NAMES: ReadonlyMap<string, 'array' | 'scalar' | 'dtype' | 'class'> = new Map([
  ['numpy.core.multiarray _reconstruct', 'array'],
  ['numpy._core.multiarray _reconstruct', 'array'],
  ['numpy.core.multiarray scalar', 'scalar'],
  ['numpy._core.multiarray scalar', 'scalar'],
  ['numpy dtype', 'dtype'],
  ['numpy ndarray', 'class'],
])

class Name {
  readonly means: 'array' | 'scalar' | 'dtype' | 'class'

  constructor(module: unknown, name: unknown) {
    const means = NAMES.get(`${module} ${name}`)
    if (means === undefined) throw new Error(`${module}.${name} is not data`)
    this.means = means
  }
}

class ObjectArray {
  elements: readonly Value[] | undefined
}

class ElementType {
  readonly code: string
  isLittleEndian = true

  constructor(code: string) {
    this.code = code
  }
}

type Value = PickledElement | Uint8Array | readonly Value[] | Name | ObjectArray | ElementType | typeof MARK
const MARK = Symbol('mark')

/** The opcodes by their bytes, as in Python's `pickletools`. */
class Unpickler {
  readonly #view: DataView
  readonly #stack: Value[] = []
  readonly #memo = new Map<number, Value>()
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  run(): Value {
    for (;;) {
      const opcode = String.fromCharCode(this.#byte())
      if (opcode === '.') return this.#pop()
      this.#perform(opcode)
    }
  }

  #perform(opcode: string): void {
    const stack = this.#stack
    switch (opcode) {
      case '\x80': // PROTO
        this.#skip(1)
        return
      case '\x95': // FRAME
        this.#skip(8)
        return
      case 'N':
        stack.push(null)
        return
      case '\x88':
      case '\x89':
        stack.push(opcode === '\x88')
        return
      case 'K': // BININT1
        stack.push(BigInt(this.#byte()))
        return
      case 'M': // BININT2
        stack.push(BigInt(this.#number(2, (at) => this.#view.getUint16(at, true))))
        return
      case 'J': // BININT
        stack.push(BigInt(this.#number(4, (at) => this.#view.getInt32(at, true))))
        return
      case '\x8a': // LONG1
        stack.push(this.#long(this.#byte()))
        return
      case 'G': // BINFLOAT
        stack.push(this.#number(8, (at) => this.#view.getFloat64(at, false)))
        return
      case '\x8c': // SHORT_BINUNICODE
        stack.push(UTF8.decode(this.#bytes(this.#byte())))
        return
      case 'X': // BINUNICODE
        stack.push(UTF8.decode(this.#bytes(this.#uint32())))
        return
      case 'C': // SHORT_BINBYTES
        stack.push(this.#bytes(this.#byte()))
        return
      case 'B': // BINBYTES
        stack.push(this.#bytes(this.#uint32()))
        return
      case '(':
        stack.push(MARK)
        return
      case ')':
      case ']':
        stack.push([])
        return
      case 't': // TUPLE
        stack.push(this.#marked())
        return
      case '\x85': // TUPLE1, 2 and 3
      case '\x86':
      case '\x87':
        stack.push(this.#popped(opcode.charCodeAt(0) - 0x84))
        return
      case 'a': // APPEND
        this.#append([this.#pop()])
        return
      case 'e': // APPENDS
        this.#append(this.#marked())
        return
      case '\x94': // MEMOIZE
        this.#memo.set(this.#memo.size, this.#top())
        return
      case 'q': // BINPUT
        this.#memo.set(this.#byte(), this.#top())
        return
      case 'r': // LONG_BINPUT
        this.#memo.set(this.#uint32(), this.#top())
        return
      case 'h': // BINGET
        stack.push(this.#remembered(this.#byte()))
        return
      case 'j': // LONG_BINGET
        stack.push(this.#remembered(this.#uint32()))
        return
      case 'c': // GLOBAL
        stack.push(new Name(this.#line(), this.#line()))
        return
      case '\x93': {
        const [module, name] = this.#popped(2)
        stack.push(new Name(module, name))
        return
      }
      case 'R': {
        const [name, given] = this.#popped(2) as [Value, Value]
        stack.push(made(name, given))
        return
      }
      case 'b': {
        const state = this.#pop()
        build(this.#top(), state)
        return
      }
      default:
        throw new Error(`the opcode ${opcode.charCodeAt(0)} is not data`)
    }
  }

  #append(values: readonly Value[]): void {
    const list = this.#top()
    if (!Array.isArray(list)) throw new Error('there is no list')
    for (const value of values) list.push(value)
  }

  #marked(): Value[] {
    const from = this.#stack.lastIndexOf(MARK)
    if (from === -1) throw new Error('there is no mark')
    return this.#stack.splice(from).slice(1)
  }

  #popped(count: number): Value[] {
    if (this.#stack.length < count) throw new Error('the stack is empty')
    return this.#stack.splice(this.#stack.length - count)
  }

  #pop(): Value {
    return this.#popped(1)[0] as Value
  }

  #top(): Value {
    const top = this.#stack.at(-1)
    if (top === undefined) throw new Error('the stack is empty')
    return top
  }

  #remembered(index: number): Value {
    const value = this.#memo.get(index)
    if (value === undefined) throw new Error(`nothing is remembered as ${index}`)
    return value
  }

  #byte(): number {
    return this.#number(1, (at) => this.#view.getUint8(at))
  }

  #uint32(): number {
    return this.#number(4, (at) => this.#view.getUint32(at, true))
  }

  #number(bytes: number, read: (at: number) => number): number {
    const at = this.#at
    this.#skip(bytes)
    return read(at)
  }

  #long(byteCount: number): bigint {
    const bytes = this.#bytes(byteCount)
    const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).reverse()
    return byteCount === 0 ? 0n : BigInt.asIntN(8 * byteCount, BigInt(`0x${digits.join('')}`))
  }

  #bytes(count: number): Uint8Array {
    const at = this.#at
    this.#skip(count)
    return new Uint8Array(this.#view.buffer, this.#view.byteOffset + at, count)
  }

  #line(): string {
    const from = this.#at
    while (this.#byte() !== NEW_LINE);
    return UTF8.decode(new Uint8Array(this.#view.buffer, this.#view.byteOffset + from, this.#at - from - 1))
  }

  #skip(bytes: number): void {
    this.#at += bytes
    if (this.#at > this.#view.byteLength) throw new Error('it ends too early')
  }
}

const NEW_LINE = 10
const UTF8 = new TextDecoder()

function made(name: Value, given: Value): Value {
  if (!(name instanceof Name) || !Array.isArray(given)) throw new Error('it calls what is not data')
  const [first, second] = given as Value[]
  if (name.means === 'array') return new ObjectArray()
  if (name.means === 'dtype' && typeof first === 'string') return new ElementType(first)
  if (name.means === 'scalar' && first instanceof ElementType && second instanceof Uint8Array)
    return scalarOf(first, second)
  throw new Error('it calls what is not data')
}

/**
 * The arguments of `__setstate__`: for arrays `(version, shape, dtype, is Fortran's, elements)`, for types `(version,
 * order, …)`.
 */
function build(target: Value, state: Value): void {
  if (!Array.isArray(state)) throw new Error('there is no state')
  if (target instanceof ElementType) target.isLittleEndian = state[1] !== '>'
  else if (target instanceof ObjectArray && Array.isArray(state[4])) target.elements = state[4]
  else throw new Error('it has a state that is not data')
}

function scalarOf({ code, isLittleEndian }: ElementType, bytes: Uint8Array): PickledElement {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  switch (code) {
    case 'f8':
      return view.getFloat64(0, isLittleEndian)
    case 'f4':
      return view.getFloat32(0, isLittleEndian)
    case 'i8':
      return view.getBigInt64(0, isLittleEndian)
    case 'i4':
      return BigInt(view.getInt32(0, isLittleEndian))
    case 'b1':
      return view.getUint8(0) !== 0
    default:
      throw new Error(`an element of numpy's type ${code}`)
  }
}
