/** The messages about the lock, over a local socket: one JSON text per line. */
import type { Socket } from 'node:net'
import type { ErrorRecord } from '../../errors.ts'
import type { RefusedRun } from '../../protocol.ts'
import type { LogLevel } from '../../run/log-level.ts'
import type { RunIndex } from '../../values/path.ts'
import type { LeftFile } from './lock-turn.ts'

/** Worker → main. */
export type ToLock =
  /** Answered by `granted`, in the order of the requests. */
  | { readonly type: 'acquire' }
  | { readonly type: 'release' }
  /** The job continues, and this run is in the worker's memory. If the worker dies, the run must be repeated. */
  | { readonly type: 'taken'; readonly run: RunIndex }
  /** These runs are in the file and survive the kill of any process. */
  | {
      readonly type: 'committed'
      readonly stored: readonly RunIndex[]
      readonly failed: readonly RunIndex[]
      readonly refused: readonly RefusedRun[]
    }
  | { readonly type: 'notice'; readonly level: LogLevel; readonly message: string }
  /** How long jobs had to wait for this worker's turn so far, and its total time. */
  | {
      readonly type: 'waited'
      readonly waitedMs: number
      readonly totalMs: number
      readonly turnCount: number
    }
  | { readonly type: 'broken'; readonly error: ErrorRecord }

/** Main → worker. */
export type FromLock =
  | {
      readonly type: 'granted'
      readonly cntFile: string
      /** Pages up to this commit are durably in the HDF5 file. */
      readonly applied: number
      /** The state of the HDF5 file after the last turn. */
      readonly left: LeftFile
    }
  /** Whether no more runs start for now. */
  | { readonly type: 'finish'; readonly isFinishing: boolean }

export function writeLine(socket: Socket, message: ToLock | FromLock): void {
  socket.write(`${JSON.stringify(message)}\n`)
}

export function readLines<Message>(socket: Socket, take: (message: Message) => void): void {
  let rest = ''
  socket.setEncoding('utf8')
  socket.on('data', (chunk) => {
    const lines = (rest + String(chunk)).split('\n')
    rest = lines.pop() as string
    for (const line of lines) take(JSON.parse(line) as Message)
  })
}
