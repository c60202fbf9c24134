/** Takes run frames in this process, in place of the writer: for runs that are not to be stored. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RawRunRecord } from '../trajectory/run-frame.ts'
import { AssemblyBudget, FrameIntake } from './frame-intake.ts'

export interface FrameReceiver extends AsyncDisposable {
  /** Where workers send their frames to. */
  readonly address: string
}

/** @param onRecord as of `FrameIntake` */
export async function openFrameReceiver(onRecord: (record: RawRunRecord) => void): Promise<FrameReceiver> {
  // Addresses of sockets are short: a long TMPDIR leaves no room for one.
  const parent = Buffer.byteLength(tmpdir()) > FOLDER_BYTES_MAX ? '/tmp' : tmpdir()
  const folder = mkdtempSync(join(parent, 'pypet-ts-'))
  const address =
    process.platform === 'win32' ? `\\\\.\\pipe\\pypet-ts-verify-${process.pid}` : join(folder, 'runs.sock')
  const sockets = new Set<Socket>()
  const budget = new AssemblyBudget()
  const server = createServer((socket) => {
    sockets.add(socket)
    const intake = new FrameIntake(socket, budget, onRecord)
    socket.on('data', (chunk) => intake.push(chunk))
    socket.on('error', () => undefined)
    socket.on('close', () => {
      intake.end()
      sockets.delete(socket)
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(address, resolve)
  })
  return {
    address,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const FOLDER_BYTES_MAX = 60
