/** Prevents a user's module from ending the process with `process.exit`. */

/** Thrown to a user's module that calls `process.exit` where that is refused. */
export class ExitRefusal extends Error {
  override readonly name = 'ExitRefusal'

  constructor(exitCode: unknown) {
    super(`process.exit(${exitCode ?? ''})`)
  }
}

/** `process.exit` calls it at its end, and some programs call it directly. Node's types do not list it. */
type Exiting = typeof process & { reallyExit(exitCode?: unknown): never }

/**
 * Ends the process with this code, whatever `exit` handlers a user's module has left: they could set another code, or
 * exit themselves.
 */
export function exitWith(exitCode: number): never {
  const exiting = process as Exiting
  const { reallyExit } = exiting
  exiting.reallyExit = () => reallyExit.call(process, exitCode)
  process.exit(exitCode)
}

/**
 * Makes `process.exit`, and what it calls, throw what `refuse` returns. If that is undefined, the process ends as
 * requested. Call the result to restore both functions; several guards can be removed in any order.
 */
export function refuseExit(refuse: (exitCode: unknown) => Error | undefined): () => void {
  const exiting = process as Exiting
  const { exit, reallyExit } = exiting
  let isRefusing = true
  // Pass on the same number of arguments: Node distinguishes `exit()` from `exit(undefined)`.
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
