/** Checks names of log files and folders before anything is written. */
import { dirname, isAbsolute, sep } from 'node:path'
import { PypetError } from '../errors.ts'
import { FOLDER_WILDCARDS, LOG_WILDCARDS, wildcardsOf } from '../run/log-name.ts'
import { nearestName } from '../values/nearest-name.ts'
import { absolutePath, type OptionValue } from './option.ts'
import type { OptionName } from './options.ts'
import { describePlace, type Origin } from './origin.ts'

export interface LogOptions {
  readonly logFolder: string
  readonly logRuns: string | undefined
  readonly logStdout: boolean
}

/**
 * Without logs, what jobs print goes to the terminal, because no log could store it.
 *
 * @throws PypetError `PYPET_CONFIG_INVALID` for an unknown wildcard, for names of run logs that are the same for
 *   several runs, and for names outside the log folder
 */
export function logOptions(
  values: { readonly [Name in OptionName]?: OptionValue },
  origins: Readonly<Record<OptionName, Origin>>,
  workingDirectory: string,
): LogOptions {
  const logFolder = absolutePath(String(values.logFolder), workingDirectory)
  const folderPlace = describePlace('logFolder', origins.logFolder)
  const { logFolder: origin } = origins
  const base = origin.kind === 'config' ? dirname(origin.file) : workingDirectory
  assertWildcards(withoutCommonFolders(logFolder, base), FOLDER_WILDCARDS, folderPlace)
  return {
    logFolder,
    logRuns: runFiles(String(values.logRuns ?? ''), describePlace('logRuns', origins.logRuns)),
    logStdout: values.logging === true && values.logStdout === true,
  }
}

/** An empty name switches off what a layer with lower priority has switched on. */
function runFiles(name: string, where: string): string | undefined {
  if (name === '') return undefined
  const wildcards = wildcardsOf(name)
  assertWildcards(name, Object.keys(LOG_WILDCARDS), where)
  if (!wildcards.includes('$run') && !wildcards.includes('$set')) {
    throw new PypetError(
      'PYPET_CONFIG_INVALID',
      `${where}: ${JSON.stringify(name)} is the same name for all runs`,
      {
        where,
        hint: "Add $run or $set, as in '$run.txt' or '$set/$run.txt'. In a shell, use single quotes.",
      },
    )
  }
  if (isAbsolute(name) || name.split(/[/\\]/).includes('..')) {
    throw new PypetError(
      'PYPET_CONFIG_INVALID',
      `${where}: ${JSON.stringify(name)} is outside the log folder`,
      { where, hint: 'Use a name inside that folder, which logFolder sets.' },
    )
  }
  return name
}

function assertWildcards(name: string, known: readonly string[], where: string): void {
  const unknown = wildcardsOf(name).find((wildcard) => !known.includes(wildcard))
  if (unknown === undefined) return
  const nearest = nearestName(unknown, known)
  const list = `The wildcards are ${known.join(', ')}.`
  throw new PypetError('PYPET_CONFIG_INVALID', `${where}: unknown wildcard ${unknown}`, {
    where,
    hint: nearest === undefined ? list : `Did you mean ${nearest}? ${list}`,
  })
}

/** The folders above may have any name; pypet-ts did not choose them. */
function withoutCommonFolders(path: string, base: string): string {
  const folders = base.split(sep)
  const parts = path.split(sep)
  const firstOther = parts.findIndex((part, index) => part !== folders[index])
  return parts.slice(firstOther < 0 ? parts.length : firstOther).join(sep)
}
