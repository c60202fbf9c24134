/** The conversation about the lock, over a local socket: one JSON text a line. */
import type { Socket } from 'node:net'
import type { ErrorRecord } from '../../errors.ts'
import type { RefusedRun } from '../../protocol.ts'
import type { LogLevel } from '../../run/log-level.ts'
import type { RunIndex } from '../../values/path.ts'
import type { LeftFile } from './lock-turn.ts'

/** Worker → main. */
export type ToLock =
  /** Answered by `granted`, in the order of asking. */
  | { readonly type: 'acquire' }
  | { readonly type: 'release' }
  /** The job goes on, and this run is in the worker's memory: if the worker dies, it has to be performed again. */
  | { readonly type: 'taken'; readonly run: RunIndex }
  /** These runs are in the file and survive a kill of any process. */
  | {
      readonly type: 'committed'
      readonly stored: readonly RunIndex[]
      readonly failed: readonly RunIndex[]
      readonly refused: readonly RefusedRun[]
    }
  | { readonly type: 'notice'; readonly level: LogLevel; readonly message: string }
  /** How long jobs had to wait for this worker's turn, of how long it has been at work, until now. */
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
      /** Pages up to this commit are in the HDF5 file, durably. */
      readonly applied: number
      /** What the HDF5 file was when it was left. */
      readonly left: LeftFile
    }
  /** Whether no more runs begin for now. */
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
