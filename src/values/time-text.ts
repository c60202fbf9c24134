/**
 * pypet's `%Y_%m_%d_%Hh%Mm%Ss` in local time, `2026_11_22_17h32m44s`: in overviews, in the names of
 * environments, and what `--add-time` appends to the name of a trajectory.
 *
 * @param timestamp seconds since 1970
 */
export function timeText(timestamp: number): string {
  // Many runs share a second, and formatting a date is the dearest part of a row.
  const second = Math.floor(timestamp)
  if (second !== lastSecond) [lastSecond, lastTimeText] = [second, formatTime(second)]
  return lastTimeText
}

let lastSecond = Number.NaN
let lastTimeText = ''

function formatTime(second: number): string {
  const date = new Date(second * 1000)
  const two = (part: number) => String(part).padStart(2, '0')
  const day = `${date.getFullYear()}_${two(date.getMonth() + 1)}_${two(date.getDate())}`
  return `${day}_${two(date.getHours())}h${two(date.getMinutes())}m${two(date.getSeconds())}s`
}
