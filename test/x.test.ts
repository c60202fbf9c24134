import { readFileSync } from 'node:fs'
import { test } from 'vitest'
import { summariseFile } from '../src/results/summarise.ts'
import { previewText } from '../src/cli/value-text.ts'
test('x', async () => {
  const o = (await summariseFile('/work/shared/pypet/samples/b_alltypes.h5')).trajectories[0]!
  const j = JSON.parse(readFileSync('/work/shared/pypet/samples/b_alltypes.json', 'utf8'))
  for (const p of o.parameters.entries) console.log(p.name, '|', p.value.type, '|', previewText(p.value), '|', JSON.stringify(j.nodes['parameters.' + p.name].value_str ?? null)?.slice(0, 90))
  for (const p of o.results.entries) { const n = j.nodes[(p.isPerRun ? 'results.runs.run_00000000.' : 'results.') + p.name] ; console.log(p.name, '|', p.types.join(), '|', JSON.stringify(p.example.shape), previewText(p.example), '|', JSON.stringify(n?.data ?? n?.value ?? n ?? null)?.slice(0, 120)) }
})
