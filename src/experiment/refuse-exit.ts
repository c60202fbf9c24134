/** `process.exit`, kept from ending more than the module of the user that calls it may end. */

/** What a module of the user gets when it calls `process.exit` where that is refused. */
export class ExitRefusal extends Error {
  override readonly name = 'ExitRefusal'

  constructor(exitCode: unknown) {
    super(`process.exit(${exitCode ?? ''})`)
  }
}

/** What `process.exit` calls at its end, and what some programs call by themselves. It is in no list of Node's types. */
type Exiting = typeof process & { reallyExit(exitCode?: unknown): never }

/**
 * Ends the process with this code, whatever handlers of `exit` say that a module of the user has left: they may set
 * another one, or exit by themselves.
 */
export function exitWith(exitCode: number): never {
  const exiting = process as Exiting
  const { reallyExit } = exiting
  exiting.reallyExit = () => reallyExit.call(process, exitCode)
  process.exit(exitCode)
}

/**
 * From now on `process.exit`, and what it calls, throw what `refuse` returns; where it returns undefined the process ends as
 * it was told to. The result gives both back; several may be given back in any order.
 */
export function refuseExit(refuse: (exitCode: unknown) => Error | undefined): () => void {
  const exiting = process as Exiting
  const { exit, reallyExit } = exiting
  let isRefusing = true
  // As many arguments as there were: Node tells `exit()` from `exit(undefined)`.
  const guarded: typeof process.exit = (...given) => {
    const error = isRefusing ? refuse(given[0]) : undefined
    if (error !== undefined) throw error
    return exit.apply(process, given)
  }
  const guardedReally: Exiting['reallyExit'] = (exitCode) => {
    const error = isRefusing ? refuse(exitCode) : undefined
    if (error !== undefined) throw error
    return reallyExit.call(process, exitCode)
  }
  exiting.exit = guarded
  exiting.reallyExit = guardedReally
  return () => {
    isRefusing = false
    if (exiting.exit === guarded) exiting.exit = exit
    if (exiting.reallyExit === guardedReally) exiting.reallyExit = reallyExit
  }
}
