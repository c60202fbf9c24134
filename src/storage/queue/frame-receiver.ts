/** Takes run frames in this process, in place of the writer: for runs that are not to be stored. */
import { createServer, type Socket } from 'node:net'
import { AssemblyBudget, FrameIntake, type OnRecord } from './frame-intake.ts'
import { LocalAddress } from './local-address.ts'

export interface FrameReceiver extends AsyncDisposable {
  /** Where workers send their frames to. */
  readonly address: string
}

/** @throws PypetError `PYPET_FILE_NOT_WRITABLE` when there is no place for the socket */
export async function openFrameReceiver(onRecord: OnRecord): Promise<FrameReceiver> {
  const place = new LocalAddress('runs')
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
    server.listen(place.path, resolve)
  })
  return {
    address: place.path,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
      place.remove()
    },
  }
}
