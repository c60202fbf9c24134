/** Converts the options of an experiment to the form in its `.cnt` file, and back. */
import { dirname, isAbsolute, join, relative } from 'node:path'
import { isOptionValue } from '../experiment/option.ts'
import {
  OPTION_NAMES,
  OPTIONS,
  type OptionName,
  type OptionValues,
  type Settings,
} from '../experiment/options.ts'

/** Every option by its name, dots included; paths are absolute. */
export function recordSettings(settings: Settings): Readonly<Record<string, unknown>> {
  const entries = OPTION_NAMES.map((name) => [name, recordedValue(settings, name)] as const)
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined))
}

/**
 * The recorded options that this version knows, if it knows their values. Paths follow a folder that was moved as a
 * whole.
 *
 * @param folder where the `.cnt` file and the HDF5 file are now
 */
export function readSettings(recorded: Readonly<Record<string, unknown>>, folder: string): OptionValues {
  const { filename } = recorded
  const before = typeof filename === 'string' ? dirname(filename) : folder
  const values: { [Name in OptionName]?: OptionValues[Name] } = {}
  for (const name of OPTION_NAMES) {
    const option = OPTIONS[name]
    const value = recorded[name]
    if (!isOptionValue(option, value)) continue
    const isMoved = option.kind === 'path' && isAbsolute(String(value)) && before !== folder
    values[name] = isMoved ? join(folder, relative(before, String(value))) : value
  }
  return values
}

function recordedValue(settings: Settings, name: OptionName): unknown {
  return name.split('.').reduce<unknown>((node, key) => (node as Record<string, unknown>)[key], settings)
}
