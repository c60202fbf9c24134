/** `traj.par`: values by natural naming, one view per run. */
import { PypetError } from '../errors.ts'
import { nearestName } from '../values/nearest-name.ts'
import { copyOfNested, isNestedList, type NestedList } from '../values/nested-list.ts'
import type { OwnClass, OwnClasses } from '../values/own-class.ts'
import { type ParameterBranch, parameterBranch, parameterLocation } from '../values/path.ts'
import type { RawValue } from '../values/raw-value.ts'
import type { TypedArray } from '../values/typed-array.ts'
import { seenValue } from '../values/user-value.ts'
import { isNdArray, isPlainObject, type NdArray } from '../values/value-forms.ts'
import type { Parameter, ParameterTree, ParameterValues } from './parameter.ts'

/** The explored values of one run, by parameter name: single values as a job sees them, lists and arrays as `RawValue`. */
export type PointValues = Readonly<Record<string, unknown>>

/**
 * Prepares views of the given parameters in a branch. The returned function makes the view of one run. It makes only
 * groups with explored parameters or arrays, so a run does not pay for a large tree. Lists are frozen. An array or a list
 * of lists is copied when a run first asks for it, since a job may write into it.
 *
 * @param classes of parameters with a class of the user's own. A run gets an instance when it first asks for one
 * @param find the full name for a name that the group does not have, if there is one
 */
export function parameterViews(
  parameters: readonly Pick<Parameter, 'name' | 'value' | 'userClass'>[],
  find: FindParameter = () => undefined,
  classes: OwnClasses = new Map(),
  branch: ParameterBranch = 'parameters',
): (point: PointValues) => ParameterValues<ParameterTree> {
  const root = new Group(branch, remembered(find))
  const known = new Map<string, Known>()
  for (const { name, value, userClass } of parameters) {
    if (parameterBranch(name) !== branch) continue
    const own = userClass === undefined ? undefined : classes.get(userClass)
    const path = parameterLocation(name).split('.').slice(1)
    known.set(name, { path, own, preset: value })
    root.add(path, own === undefined ? value : new Instance(own, () => structuredClone(value)))
  }
  return (point) => {
    const overrides = new Group(branch, find)
    for (const [name, value] of Object.entries(point)) {
      const parameter = known.get(name)
      if (parameter === undefined) continue
      const { path, own, preset } = parameter
      const isSingle = typeof value !== 'object' || value === null
      const seen = isSingle ? value : new Unmade(value as RawValue, preset)
      overrides.add(
        path,
        own === undefined ? seen : new Instance(own, () => (seen instanceof Unmade ? seen.make() : seen)),
      )
    }
    return root.view(overrides)
  }
}

/** A parameter of the branch. */
interface Known {
  /** The path below the branch. */
  readonly path: readonly string[]
  readonly own: OwnClass | undefined
  readonly preset: unknown
}

/** An explored list or array. It is made when the job asks for it. */
class Unmade {
  readonly #value: RawValue
  readonly #preset: unknown

  constructor(value: RawValue, preset: unknown) {
    this.#value = value
    this.#preset = preset
  }

  make(): unknown {
    const made = seenValue(this.#value, this.#preset)
    return Array.isArray(made) && !isNestedList(made) ? Object.freeze(made) : made
  }

  [Symbol.for('nodejs.util.inspect.custom')](): unknown {
    return this.make()
  }
}

/** An instance of the user's own class. It is made when the job asks for it. */
class Instance {
  readonly #own: OwnClass
  readonly #stored: () => unknown

  constructor(own: OwnClass, stored: () => unknown) {
    this.#own = own
    this.#stored = stored
  }

  make(): unknown {
    return this.#own.load(this.#stored() as never)
  }

  [Symbol.for('nodejs.util.inspect.custom')](): unknown {
    return this.make()
  }
}

/** Finds a parameter by a name that may leave out groups. Throws if the name is ambiguous. */
export type FindParameter = (group: string, name: string) => string | undefined

/** Caches what a name means, which is the same in all runs. */
function remembered(find: FindParameter): FindParameter {
  const known = new Map<string, string>()
  return (group, name) => {
    const key = `${group}.${name}`
    const found = known.get(key) ?? find(group, name)
    if (found !== undefined) known.set(key, found)
    return found
  }
}

/** A group of the declared tree, or of the values that replace some of it in one run. */
class Group {
  readonly #path: string
  readonly #find: FindParameter
  readonly #entries = new Map<string, unknown>()
  /** Names of the arrays in this group. */
  readonly #arrays: string[] = []
  /** True if arrays are here or below. Then no two runs may share the view. */
  #holdsArrays = false
  /** Shared by all runs that replace nothing here. */
  #shared: ParameterValues<ParameterTree> | undefined

  constructor(path: string, find: FindParameter) {
    this.#path = path
    this.#find = find
  }

  add(path: readonly string[], value: unknown): void {
    const [name, ...rest] = path as [string, ...string[]]
    const isArray =
      ArrayBuffer.isView(value) || isNestedList(value) || isNdArray(value) || value instanceof Instance
    this.#holdsArrays ||= isArray
    if (rest.length === 0) {
      if (isArray) this.#arrays.push(name)
      this.#entries.set(
        name,
        !isArray && Array.isArray(value) ? Object.freeze((value as unknown[]).slice()) : value,
      )
      return
    }
    const known = this.#entries.get(name)
    const inner = known instanceof Group ? known : new Group(`${this.#path}.${name}`, this.#find)
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
    let uncopied = this.#arrays.length === 0 ? undefined : new Set(this.#arrays)
    for (const [name, entry] of this.#entries) {
      const override = overrides.#entries.get(name)
      if (override instanceof Unmade || override instanceof Instance) {
        values[name] = override
        uncopied ??= new Set()
        uncopied.add(name)
      } else if (!(entry instanceof Group)) values[name] = override === undefined ? entry : override
      else values[name] = entry.view(override instanceof Group ? override : NOTHING)
    }
    return guarded(values, uncopied, this.#path, this.#find)
  }
}

/** For groups in which a run replaces nothing. */
const NOTHING = new Group('', () => undefined)

/**
 * Refuses unknown names. A mistyped name must not become `undefined`, and then a NaN in days of results.
 *
 * @param uncopied names of values that all runs still share, or that are not made yet
 */
function guarded(
  values: Record<string, unknown>,
  uncopied: Set<string> | undefined,
  path: string,
  find: FindParameter,
): ParameterValues<ParameterTree> {
  const refuse = (_: Record<string, unknown>, name: string | symbol): never => {
    throw isFixed(path, String(name))
  }
  const view = new Proxy(values, {
    get(target, name) {
      if (typeof name === 'symbol') return Reflect.get(target, name)
      if (Object.hasOwn(target, name)) {
        if (uncopied?.delete(name)) target[name] = ownOfRun(target[name])
        return target[name]
      }
      // Promises, JSON.stringify and inspection ask for these, not users.
      if (name === 'then' || name === 'toJSON' || name === 'constructor') return undefined
      const found = find(path, name)
      if (found?.startsWith(`${path}.`)) {
        const parts = found.slice(path.length + 1).split('.')
        return parts.reduce<unknown>((values, part) => (values as Record<string, unknown>)[part], view)
      }
      const nearest = nearestName(name, Object.keys(target))
      throw new PypetError('PYPET_PARAMETER_UNKNOWN', `${path}.${name} is not a parameter`, {
        where: `${path}.${name}`,
        hint:
          nearest === undefined
            ? `${path} has: ${Object.keys(target).join(', ') || 'nothing'}.`
            : `Did you mean ${path}.${nearest}?`,
      })
    },
    // Not frozen, because copies of arrays replace the shared ones.
    set: refuse,
    defineProperty: refuse,
    deleteProperty: refuse,
  }) as ParameterValues<ParameterTree>
  return view
}

function isFixed(path: string, name: string): PypetError {
  const where = `${path}.${name}`
  const shortcut = where.slice(where.indexOf('.') + 1)
  return new PypetError(
    'PYPET_PARAMETER_LOCKED',
    `${where} cannot be changed: in a job, parameters are fixed`,
    {
      where,
      hint: `Use your own variable: let ${/^[a-z_]\w*$/i.test(name) ? name : 'value'} = traj.par.${shortcut}. In a script, before the run: traj.get('${shortcut}').set(…).`,
    },
  )
}

function ownOfRun(value: unknown): unknown {
  const isUnmade = value instanceof Unmade || value instanceof Instance
  return isUnmade ? value.make() : copyOfArray(value as TypedArray | NestedList | NdArray)
}

function copyOfArray(array: TypedArray | NestedList | NdArray): unknown {
  if (isNestedList(array)) return copyOfNested(array)
  if (ArrayBuffer.isView(array)) return copyOfElements(array)
  const own = { ...array, data: copyOfElements(array.data as TypedArray), shape: [...array.shape] }
  // Objects of ndarray packages keep their methods.
  return isPlainObject(array) ? own : Object.assign(Object.create(Object.getPrototypeOf(array)), own)
}

function copyOfElements(elements: TypedArray): TypedArray {
  // Some ndarray packages keep numbers in plain arrays. The `slice` of a Buffer does not copy.
  return Array.isArray(elements) ? elements.slice() : Uint8Array.prototype.slice.call(elements)
}
