/** The parameters of an experiment, after config file and `--set` flags are applied. */
import { requireParameter } from '../exploration/explored-parameter.ts'
import { parseSetFlag } from '../exploration/parse-flag.ts'
import { presetFromText } from '../exploration/value-from-text.ts'
import { flattenParameters, type Parameter, type ParameterTree } from '../run/parameter.ts'
import { configFileParameters } from './config-parameters.ts'
import type { Origin } from './origin.ts'
import { isNested, withNestedText, withValue } from './preset-value.ts'

export interface ParameterLayers {
  /** The job file, and what its experiment declares; a job that is only a function declares nothing. */
  readonly jobFile: string
  readonly definition?: { readonly parameters: ParameterTree } | undefined
  readonly config?:
    | { readonly file: string; readonly parameters: Readonly<Record<string, unknown>> | undefined }
    | undefined
  /** The texts of the `--set` flags: `neuron.tau=10`. The later of two for the same parameter counts. */
  readonly presets?: readonly string[]
}

export interface MergedParameters {
  /** In the order of declaration. */
  readonly parameters: readonly Parameter[]
  /** The origin of each parameter's value, by name. */
  readonly origins: ReadonlyMap<string, Origin>
}

/**
 * The parameters that the experiment declares, with values preset by config file and flags. If the experiment declares
 * none, the config file does.
 *
 * @throws PypetError `PYPET_PARAMETER_UNKNOWN` with the nearest name, `PYPET_PARAMETER_TYPE`, and what
 *   `flattenParameters`, `configFileParameters` and `parseSetFlag` throw
 */
export function mergeParameters(layers: ParameterLayers): MergedParameters {
  const { jobFile, definition, config, presets = [] } = layers
  const merged = new Map<string, Parameter>()
  const origins = new Map<string, Origin>()
  const put = (parameter: Parameter, origin: Origin) => {
    merged.set(parameter.name, parameter)
    origins.set(parameter.name, origin)
  }

  const declared = flattenParameters(definition?.parameters ?? {}, 'parameters')
  for (const parameter of declared) put(parameter, { kind: 'experiment', file: jobFile })

  const file = config?.file ?? ''
  for (const given of configFileParameters(config?.parameters ?? {}, file)) {
    const origin: Origin = { kind: 'config', file }
    const where = `${file}: parameters.${given.name}`
    if (declared.length === 0) put(given, origin)
    else put(overridden(requireParameter(declared, given.name, where), given, where), origin)
  }

  for (const { name, text, where } of presets.map(parseSetFlag)) {
    const parameter = requireParameter([...merged.values()], name, where)
    const preset = isNested(parameter.stored) ? withNestedText : presetFromText
    put(preset(parameter, text, where), { kind: 'flag', flag: where })
  }
  return { parameters: [...merged.values()], origins }
}

function overridden(declared: Parameter, given: Parameter, where: string): Parameter {
  const { value, comment, annotations } = given
  return {
    ...withValue(declared, value, where),
    ...(comment !== '' && { comment }),
    ...(annotations !== undefined && { annotations }),
  }
}
