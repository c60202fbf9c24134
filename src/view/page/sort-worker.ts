/** ENTRY of the worker: sorts, so that the page can be used meanwhile. */
import { type SortAnswer, type SortRequest, sortedRows } from './row-order.ts'

addEventListener('message', ({ data }: MessageEvent<SortRequest>) => {
  const rows = sortedRows(data.numbers, data.isDescending)
  postMessage({ key: data.key, rows } satisfies SortAnswer, { transfer: [rows.buffer] })
})
