/** `process.exit`, kept from ending more than the module of the user that calls it may end. */

/** What a module of the user gets when it calls `process.exit` where that is refused. */
export class ExitRefusal extends Error {
  override readonly name = 'ExitRefusal'

  constructor(exitCode: unknown) {
    super(`process.exit(${exitCode ?? ''})`)
  }
}

/**
 * From now on `process.exit` throws what `refuse` returns; where it returns undefined the process ends as
 * it was told to. The result gives `process.exit` back; several may be given back in any order.
 */
export function refuseExit(refuse: (exitCode: unknown) => Error | undefined): () => void {
  const exit = process.exit
  let isRefusing = true
  // As many arguments as there were: Node tells `exit()` from `exit(undefined)`.
  const guarded: typeof process.exit = (...given) => {
    const error = isRefusing ? refuse(given[0]) : undefined
    if (error !== undefined) throw error
    return exit.apply(process, given)
  }
  process.exit = guarded
  return () => {
    isRefusing = false
    if (process.exit === guarded) process.exit = exit
  }
}
