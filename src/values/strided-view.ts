/** Views into the data of another array, as common ndarray packages return them. */

/** The element at an index is `data[offset + index · stride]`. Strides may be negative. */
export interface StridedView {
  readonly shape: readonly number[]
  readonly stride: readonly number[]
  readonly offset: number
}

/** Whether the elements are contiguous in C order and start at the first element of the data. */
export function isContiguous({ shape, stride, offset }: StridedView): boolean {
  let expected = 1
  for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
    if ((shape[axis] as number) > 1 && stride[axis] !== expected) return false
    expected *= shape[axis] as number
  }
  return offset === 0
}

/** Whether every element lies within data of this length. */
export function staysInside({ shape, stride, offset }: StridedView, length: number): boolean {
  if (shape.includes(0)) return true
  // Each axis extends from the offset to one side.
  const reaches = shape.map((size, axis) => (size - 1) * (stride[axis] ?? Number.NaN))
  const first = reaches.reduce((sum, reach) => sum + Math.min(0, reach), offset)
  const last = reaches.reduce((sum, reach) => sum + Math.max(0, reach), offset)
  return Number.isInteger(first) && Number.isInteger(last) && first >= 0 && last < length
}

/** Any typed array. */
interface ElementArray {
  [index: number]: number | bigint
}

/** Copies the elements of a view into C order. The view must stay inside the data. */
export function gather<Data extends ElementArray>(data: Data, { shape, stride, offset }: StridedView): Data {
  const elementCount = shape.reduce((product, size) => product * size, 1)
  const gathered = new (data.constructor as new (length: number) => Data)(elementCount)
  const index = shape.map(() => 0)
  let from = offset
  for (let to = 0; to < elementCount; to += 1) {
    gathered[to] = data[from] as Data[number]
    for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
      const size = shape[axis] as number
      const step = stride[axis] as number
      index[axis] = (index[axis] as number) + 1
      from += step
      if ((index[axis] as number) < size) break
      from -= step * size
      index[axis] = 0
    }
  }
  return gathered
}
