/** `traj.par`: values by natural naming, one view a run. */
import { PypetError } from '../errors.ts'
import { nearestName } from './nearest-name.ts'
import type { Parameter, ParameterTree, ParameterValues } from './parameter.ts'

/** The explored values of one run, by parameter name. */
export type PointValues = Readonly<Record<string, unknown>>

/**
 * Prepares views over the given parameters. The returned function makes the view of one run; only the
 * groups that hold explored parameters are made anew, so that a run does not pay for a large tree.
 */
export function parameterViews(
  parameters: readonly Pick<Parameter, 'name' | 'value'>[],
): (point: PointValues) => ParameterValues<ParameterTree> {
  const root: Group = new Map()
  for (const { name, value } of parameters) setValue(root, name.split('.'), value)
  const shared = toView(root, 'parameters')
  return (point) => {
    const explored = Object.entries(point)
    if (explored.length === 0) return shared
    const overrides: Group = new Map()
    for (const [name, value] of explored) setValue(overrides, name.split('.'), value)
    return overlay(root, overrides, 'parameters')
  }
}

type Group = Map<string, unknown>

function setValue(group: Group, path: readonly string[], value: unknown): void {
  const [name, ...rest] = path as [string, ...string[]]
  if (rest.length === 0) {
    group.set(name, value)
    return
  }
  const known = group.get(name)
  const inner: Group = known instanceof Map ? known : new Map()
  group.set(name, inner)
  setValue(inner, rest, value)
}

function toView(group: Group, path: string): ParameterValues<ParameterTree> {
  const values: Record<string, unknown> = {}
  for (const [name, entry] of group) {
    values[name] = entry instanceof Map ? viewOf(entry, `${path}.${name}`) : entry
  }
  return guarded(values, path)
}

/** Views of unexplored groups never change, so each group has one. */
const views = new WeakMap<Group, ParameterValues<ParameterTree>>()

function viewOf(group: Group, path: string): ParameterValues<ParameterTree> {
  const known = views.get(group)
  if (known !== undefined) return known
  const view = toView(group, path)
  views.set(group, view)
  return view
}

function overlay(group: Group, overrides: Group, path: string): ParameterValues<ParameterTree> {
  const values: Record<string, unknown> = {}
  for (const [name, entry] of group) {
    const override = overrides.get(name)
    if (!(entry instanceof Map)) values[name] = override === undefined ? entry : override
    else if (override instanceof Map) values[name] = overlay(entry, override, `${path}.${name}`)
    else values[name] = viewOf(entry, `${path}.${name}`)
  }
  return guarded(values, path)
}

/** A mistyped name must not become `undefined` and then a NaN in nine days of results. */
function guarded(values: Record<string, unknown>, path: string): ParameterValues<ParameterTree> {
  return new Proxy(Object.freeze(values), {
    get(target, name) {
      if (typeof name === 'symbol' || Object.hasOwn(target, name)) return target[name as string]
      // Asked by promises, JSON.stringify and inspection, not by users.
      if (name === 'then' || name === 'toJSON' || name === 'constructor') return undefined
      const nearest = nearestName(name, Object.keys(target))
      throw new PypetError('PYPET_PARAMETER_UNKNOWN', `${path}.${name} is not a parameter`, {
        where: `${path}.${name}`,
        hint:
          nearest === undefined
            ? `${path} has: ${Object.keys(target).join(', ') || 'nothing'}.`
            : `Did you mean ${path}.${nearest}?`,
      })
    },
  }) as ParameterValues<ParameterTree>
}
