/**
 * ENTRY of the command line. The writer process takes longest to start, so it is started before the command line is
 * even loaded, if the words look as if a file will be written.
 */
import { endOnSignals } from './end-on-signals.ts'

/** @param argv as `process.argv` */
export async function launch(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  endOnSignals()
  const endAhead = looksLikeWriting(argv.slice(2), env) ? await startAhead() : async () => undefined
  const { main } = await import('./main.ts')
  await main(argv, endAhead)
}

/** @returns a function that ends the writer if nobody has taken it */
async function startAhead(): Promise<() => Promise<void>> {
  const { endWriterAhead, startWriterAhead } = await import('../storage/queue/writer.ts')
  try {
    startWriterAhead()
  } catch {
    // The code that needs a writer meets the same error, and can report it.
  }
  return endWriterAhead
}

const WRITING_COMMANDS = ['run', 'continue', 'expand']
/** With one of these, nothing is written, or not by a writer process. */
const OTHERS = ['-h', '--help', '--help-all', '--dry-run', '--point', '--wrap-mode', '--storage-service']

/** A guess. If it is wrong, the writer is started later, or was started in vain. */
function looksLikeWriting([command, ...words]: readonly string[], env: NodeJS.ProcessEnv): boolean {
  if (!WRITING_COMMANDS.includes(command ?? '') || words.length === 0) return false
  if (env.PYPET_WRAP_MODE !== undefined || env.PYPET_STORAGE_SERVICE !== undefined) return false
  return !words.some((word) => OTHERS.includes(word.split('=')[0] as string))
}
