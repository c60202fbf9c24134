/** One value of everything that can be stored, by name: the job stores them, the test expects them back. */
import { integer, type ParameterValue } from 'pypet-ts'

const LONG_TEXT = 'ß漢🧠'.repeat(10_000)

export const SCALARS = {
  float: 1.5,
  whole_float: 3,
  nan: Number.NaN,
  infinity: Number.POSITIVE_INFINITY,
  minus_infinity: Number.NEGATIVE_INFINITY,
  minus_zero: -0,
  smallest: Number.MIN_VALUE,
  largest: Number.MAX_VALUE,
  third: 1 / 3,
  int: integer(7),
  minus_int: integer(-3),
  safe_int: integer(Number.MAX_SAFE_INTEGER),
  beyond_safe: 9_007_199_254_740_993n,
  int64_max: 2n ** 63n - 1n,
  int64_min: -(2n ** 63n),
  yes: true,
  no: false,
  empty_text: '',
  text: 'abc',
  unicode: 'Größe in µm, 漢字 🧠',
  trailing_spaces: 'ends in spaces  ',
  spaces: '   ',
  leading_space: ' starts with one',
  lines: 'two\nlines\twith a tab',
  quotes: `it's "quoted" \\`,
  pickle_like: 'I1\n.',
} as const satisfies Record<string, ParameterValue>

export const LISTS = {
  floats: [1.5, Number.NaN, -0, Number.NEGATIVE_INFINITY],
  one_float: [0.1],
  ints: [1n, -(2n ** 63n), 2n ** 62n + 1n],
  bools: [true, false, true],
  texts: ['a', '', 'länger 🧠', 'trailing  '],
  texts_ending_in_spaces: ['a ', '  '],
  one_empty_text: [''],
  empty_list: [],
} as const satisfies Record<string, ParameterValue>

/** A view of a 3 × 4 array, transposed and cut, as the ndarray packages hand them out. */
export const STRIDED = {
  data: Float64Array.from({ length: 12 }, (_, index) => index),
  shape: [2, 3],
  stride: [1, 4],
  offset: 1,
}
/** Its elements: rows 1 and 2 of the transposed. */
export const STRIDED_IN_C_ORDER = Float64Array.of(1, 5, 9, 2, 6, 10)

export const ARRAYS = {
  float64: Float64Array.of(0.1, Number.NaN, -0, Number.POSITIVE_INFINITY, Number.MIN_VALUE),
  float32: Float32Array.of(0.1, Number.NaN, -0, Number.NEGATIVE_INFINITY),
  int8: Int8Array.of(-128, 0, 127),
  int16: Int16Array.of(-32_768, 0, 32_767),
  int32: Int32Array.of(-2_147_483_648, 0, 2_147_483_647),
  int64: BigInt64Array.of(-(2n ** 63n), 9_007_199_254_740_993n, 2n ** 63n - 1n),
  uint8: Uint8Array.of(0, 255),
  uint8_clamped: Uint8ClampedArray.of(0, 255),
  uint16: Uint16Array.of(0, 65_535),
  uint32: Uint32Array.of(0, 4_294_967_295),
  uint64: BigUint64Array.of(0n, 9_007_199_254_740_993n, 2n ** 64n - 1n),
  one_element: Float64Array.of(2.5),
  no_element: new Float64Array(0),
  part: new Float64Array([1, 2, 3, 4]).subarray(1, 3),
  matrix: { data: Float64Array.of(1, 2, 3, 4, 5, 6), shape: [2, 3] },
  cube: { data: Int16Array.from({ length: 24 }, (_, index) => index * 7), shape: [2, 3, 4] },
  five_axes: { data: Uint8Array.from({ length: 12 }, (_, index) => index), shape: [1, 2, 1, 3, 2] },
  no_axis: { data: Float64Array.of(2.5), shape: [] },
  no_axis_int: { data: BigInt64Array.of(2n ** 62n), shape: [] },
  no_row: { data: new Float32Array(0), shape: [0, 3] },
  no_column: { data: new Int32Array(0), shape: [3, 0] },
  strided: STRIDED,
  many_chunks: Float64Array.from({ length: 20_000 }, (_, index) => Math.sin(index)),
  wide_rows: { data: Uint16Array.from({ length: 80_000 }, (_, index) => index), shape: [2, 40_000] },
} as const satisfies Record<string, ParameterValue>

export const VALUES: Readonly<Record<string, ParameterValue>> = {
  ...SCALARS,
  ...LISTS,
  ...ARRAYS,
  long_text: LONG_TEXT,
}

/** Parameters lie in rows of tables, which bounds how long their texts are. */
export const PARAMETERS = { ...SCALARS, ...LISTS, ...ARRAYS }

/** One value a run. The third run fails. */
export const EXPLORED = {
  float: [0.1, -0, Number.NaN, 1e300],
  int: [1, -2, 3, Number.MAX_SAFE_INTEGER],
  bigint: [2n ** 62n + 1n, 0n, -(2n ** 63n), 1n],
  bool: [true, false, false, true],
  text: ['länger 🧠 ', '', 'b', 'spaces  '],
} as const
export const FAILED_RUN = 2
export const STORED_RUNS = [0, 1, 3] as const

export const COMMENTS = {
  trajectory: 'Jede Größe – 漢字 🧠',
  result: 'ein Vergleich für alle Läufe: “gleich”',
  /** Longer than any column of a table, so that only the attribute has the whole. */
  long: 'π'.repeat(2000),
} as const
