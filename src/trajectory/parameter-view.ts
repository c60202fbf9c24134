/** `traj.par`: values by natural naming, one view a run. */
import { PypetError } from '../errors.ts'
import { nearestName } from './nearest-name.ts'
import type { Parameter, ParameterTree, ParameterValues } from './parameter.ts'
import { isPlainObject } from './plain-object.ts'
import type { TypedArray } from './stored-value.ts'
import { isNdArray, type NdArray } from './value.ts'

/** The explored values of one run, by parameter name. */
export type PointValues = Readonly<Record<string, unknown>>

/**
 * Prepares views over the given parameters. The returned function makes the view of one run; only the
 * groups that hold explored parameters or arrays are made anew, so that a run does not pay for a large
 * tree. Lists are frozen; an array is copied when a run first asks for it, since a job may write into it.
 */
export function parameterViews(
  parameters: readonly Pick<Parameter, 'name' | 'value'>[],
): (point: PointValues) => ParameterValues<ParameterTree> {
  const root = new Group(BRANCH)
  for (const { name, value } of parameters) root.add(name.split('.'), value)
  return (point) => {
    const overrides = new Group(BRANCH)
    for (const [name, value] of Object.entries(point)) overrides.add(name.split('.'), value)
    return root.view(overrides)
  }
}

const BRANCH = 'parameters'

/** A group of the declared tree, or of the values that replace some in one run. */
class Group {
  readonly #path: string
  readonly #entries = new Map<string, unknown>()
  /** Names of the arrays in this group. */
  readonly #arrays: string[] = []
  /** Arrays lie here or below, so that no two runs may have the same view. */
  #holdsArrays = false
  /** Of all runs that replace nothing here. */
  #shared: ParameterValues<ParameterTree> | undefined

  constructor(path: string) {
    this.#path = path
  }

  add(path: readonly string[], value: unknown): void {
    const [name, ...rest] = path as [string, ...string[]]
    const isArray = ArrayBuffer.isView(value) || isNdArray(value)
    this.#holdsArrays ||= isArray
    if (rest.length === 0) {
      if (isArray) this.#arrays.push(name)
      this.#entries.set(name, Array.isArray(value) ? Object.freeze(value.slice()) : value)
      return
    }
    const known = this.#entries.get(name)
    const inner = known instanceof Group ? known : new Group(`${this.#path}.${name}`)
    this.#entries.set(name, inner)
    inner.add(rest, value)
  }

  view(overrides: Group): ParameterValues<ParameterTree> {
    if (overrides.#entries.size > 0 || this.#holdsArrays) return this.#viewOfRun(overrides)
    this.#shared ??= this.#viewOfRun(overrides)
    return this.#shared
  }

  #viewOfRun(overrides: Group): ParameterValues<ParameterTree> {
    const values: Record<string, unknown> = {}
    for (const [name, entry] of this.#entries) {
      const override = overrides.#entries.get(name)
      if (!(entry instanceof Group)) values[name] = override === undefined ? entry : override
      else values[name] = entry.view(override instanceof Group ? override : NOTHING)
    }
    return guarded(values, this.#arrays.length === 0 ? undefined : new Set(this.#arrays), this.#path)
  }
}

/** What a run replaces in most groups. */
const NOTHING = new Group(BRANCH)

/**
 * A mistyped name must not become `undefined` and then a NaN in nine days of results.
 *
 * @param uncopied names of the values that are still those of all runs
 */
function guarded(
  values: Record<string, unknown>,
  uncopied: Set<string> | undefined,
  path: string,
): ParameterValues<ParameterTree> {
  const refuse = (_: Record<string, unknown>, name: string | symbol): never => {
    throw isFixed(path, String(name))
  }
  return new Proxy(values, {
    get(target, name) {
      if (typeof name === 'symbol') return Reflect.get(target, name)
      if (Object.hasOwn(target, name)) {
        if (uncopied?.delete(name)) target[name] = copyOfArray(target[name] as TypedArray | NdArray)
        return target[name]
      }
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
    // Not frozen, because arrays take the place of those that they are copies of.
    set: refuse,
    defineProperty: refuse,
    deleteProperty: refuse,
  }) as ParameterValues<ParameterTree>
}

function isFixed(path: string, name: string): PypetError {
  const where = `${path}.${name}`
  const shortcut = where.slice(BRANCH.length + 1)
  return new PypetError(
    'PYPET_PARAMETER_LOCKED',
    `${where} cannot be changed: in a job, parameters are fixed`,
    {
      where,
      hint: `Use a variable of your own: let ${/^[a-z_]\w*$/i.test(name) ? name : 'value'} = traj.par.${shortcut}. In a script, before the run: traj.get('${shortcut}').set(…).`,
    },
  )
}

function copyOfArray(array: TypedArray | NdArray): TypedArray | NdArray {
  if (ArrayBuffer.isView(array)) return copyOfElements(array)
  const own = { ...array, data: copyOfElements(array.data as TypedArray), shape: [...array.shape] }
  // Objects of ndarray packages keep their methods.
  return isPlainObject(array) ? own : Object.assign(Object.create(Object.getPrototypeOf(array)), own)
}

function copyOfElements(elements: TypedArray): TypedArray {
  // Some ndarray packages keep numbers in plain arrays; and the `slice` of a Buffer copies nothing.
  return Array.isArray(elements) ? elements.slice() : Uint8Array.prototype.slice.call(elements)
}
