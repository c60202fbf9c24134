/** What differs between runs as one JSON document. */
import type { ComparedValues, RunComparison } from '../../results/run-comparison.ts'
import type { ValueDifference } from '../../results/same-value.ts'
import { jsonDocument } from '../json-document.ts'
import { valueJson } from '../value-json.ts'

export function compareJson(comparison: RunComparison): string {
  const { runs, parameters, derivedParameters, results, config, provenance, sources } = comparison
  return jsonDocument({
    runs: runs.map(({ file, trajectory, run, name, status, environment }) => ({
      file,
      trajectory,
      run,
      name,
      status,
      environment: environment?.name ?? null,
    })),
    parameters: valuesFacts(parameters),
    derivedParameters: valuesFacts(derivedParameters),
    results: valuesFacts(results),
    config: config === undefined ? null : valuesFacts(config),
    provenance: provenance === undefined ? null : valuesFacts(provenance),
    sources:
      sources === undefined
        ? null
        : {
            equalCount: sources.equalCount,
            differing: sources.differing.map(({ path, otherPath, other, diff }) => ({
              path: path ?? null,
              otherPath: otherPath ?? null,
              other,
              diff,
            })),
          },
  })
}

function valuesFacts({ equalCount, differing }: ComparedValues): object {
  return {
    equalCount,
    differing: differing.map(({ name, unit, values, differences }) => ({
      name,
      unit,
      values: values.map(valueJson),
      differences: differences.map((difference) =>
        difference === undefined ? null : differenceFacts(difference),
      ),
    })),
  }
}

function differenceFacts({ absolute, relative, at }: ValueDifference): object {
  return { absolute: valueJson(absolute), relative: valueJson(relative), at: at ?? null }
}
