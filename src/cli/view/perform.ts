/** The action of `pypet-ts view <file>`. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { PypetError } from '../../errors.ts'
import { shownPath } from '../../reporting/shown-path.ts'
import type { CommandsOf } from '../../view/run-detail.ts'
import { serveView } from '../../view/view-server.ts'
import { runCommands } from '../show/run-commands.ts'
import { yieldCores } from './yield-cores.ts'

export interface ViewFlags {
  readonly trajectory?: string
  readonly port?: string
  readonly host?: string
  readonly allowRemote?: boolean
  readonly open: boolean
}

/**
 * Serves the page of a file until Ctrl-C, SIGTERM or SIGHUP, which is its usual end.
 *
 * @throws PypetError as `serveView`; `PYPET_USAGE` for a wrong port
 */
export async function view(file: string, flags: ViewFlags): Promise<void> {
  const { trajectory, host, allowRemote } = flags
  let yieldTo: ReturnType<typeof yieldCores> | undefined
  const server = await serveView(file, {
    trajectory,
    host,
    allowRemote,
    port: portOf(flags.port),
    commandsOf,
    onCores: (isOneIdle) => yieldTo?.(isOneIdle),
  })
  const ended = new AbortController()
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) =>
    once(process, signal, { signal: ended.signal }).catch(() => undefined),
  )
  process.stdout.write(`${shownPath(file)} is shown at\n\n  ${server.url}\n\npress Ctrl-C to end\n`)
  if (flags.open && hasDisplay()) openBrowser(server.url)
  // After the browser, which would inherit it: runs go first.
  yieldTo = yieldCores()
  await Promise.race(signals)
  ended.abort()
  await server.close()
}

/** As `pypet-ts show` names them. */
const commandsOf: CommandsOf = (report) => {
  const { debug, again } = runCommands(report)
  return [
    ...(debug === undefined ? [] : [{ label: 'debug it', command: debug }]),
    ...(again === undefined ? [] : [{ label: 'run it again', command: again }]),
  ]
}

function portOf(text: string | undefined): number {
  if (text === undefined) return 0
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (port <= 65_535) return port
  throw new PypetError('PYPET_USAGE', `${JSON.stringify(text)} is not a port`, {
    where: '--port',
    hint: 'Give a number from 0 to 65535. 0 takes any free port.',
  })
}

/** Without one, a browser in the terminal would open. */
function hasDisplay(): boolean {
  const { DISPLAY, WAYLAND_DISPLAY } = process.env
  return process.platform !== 'linux' || Boolean(DISPLAY || WAYLAND_DISPLAY)
}

/** If there is no browser, the address has been printed. */
function openBrowser(url: string): void {
  const [command, ...words] = OPENERS[process.platform] ?? ['xdg-open']
  const child = spawn(command as string, [...words, url], { stdio: 'ignore', detached: true })
  child.on('error', () => undefined)
  child.unref()
}

const OPENERS: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  darwin: ['open'],
  win32: ['cmd', '/c', 'start', ''],
}
