/** A layer of options given as text: flags and environment variables. */
import { type ErrorCode, PypetError } from '../errors.ts'
import {
  absolutePath,
  exampleValue,
  expectedValue,
  foundValue,
  type OptionValue,
  optionValueFromText,
} from './option.ts'
import { OPTION_NAMES, OPTIONS, type OptionName, type OptionValues } from './options.ts'
import { describeOrigin, type Origin } from './origin.ts'

/** The checked options of one layer, and where each was set. */
export interface Layer {
  readonly options: OptionValues
  readonly originOf: (name: OptionName) => Origin
}

/**
 * Parses and checks every option that is given; paths become absolute.
 *
 * @throws PypetError with the given code, with the flag or variable, what was expected and what was found
 */
export function textLayer(
  given: { readonly [Name in OptionName]?: string | number | boolean | undefined },
  as: {
    readonly originOf: (name: OptionName) => Origin
    readonly workingDirectory: string
    readonly code: ErrorCode
  },
): Layer {
  const options: { [Name in OptionName]?: OptionValue } = {}
  for (const name of OPTION_NAMES) {
    const option = OPTIONS[name]
    const raw = given[name]
    if (raw === undefined) continue
    const value = optionValueFromText(option, raw)
    if (value === undefined) throw refused(name, raw, as)
    options[name] = option.kind === 'path' ? absolutePath(String(value), as.workingDirectory) : value
  }
  return { options, originOf: as.originOf }
}

function assigned(origin: Origin, value: string): string {
  return origin.kind === 'env' ? `${origin.name}=${value}` : `${describeOrigin(origin)} ${value}`
}

function refused(
  name: OptionName,
  raw: unknown,
  as: { readonly originOf: (name: OptionName) => Origin; readonly code: ErrorCode },
): PypetError {
  const place = describeOrigin(as.originOf(name))
  const expected = expectedValue(OPTIONS[name])
  return new PypetError(as.code, `${place}: expected ${expected}, found ${foundValue(raw)}`, {
    where: place,
    hint: `Write ${assigned(as.originOf(name), exampleValue(OPTIONS[name]))}. ${OPTIONS[name].description}`,
  })
}
