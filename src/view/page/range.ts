/** Of the finite numbers. From 0 to 1 if there are none. */
export function rangeOf(numbers: ArrayLike<number>): readonly [number, number] {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (let at = 0; at < numbers.length; at += 1) {
    const number = numbers[at] as number
    if (number < least && number !== Number.NEGATIVE_INFINITY) least = number
    if (number > most && number !== Number.POSITIVE_INFINITY) most = number
  }
  return least <= most ? [least, most] : [0, 1]
}
