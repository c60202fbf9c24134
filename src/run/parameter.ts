/** Parameters as the user declares them, and as the trajectory stores them. */
import { PypetError } from '../errors.ts'
import { assertKnownOptions } from '../values/nearest-name.ts'
import type { NestedValues } from '../values/nested-list.ts'
import { instanceClassName } from '../values/own-class.ts'
import { type PackageArray, type PackageArrayValue, packageArray } from '../values/package-array.ts'
import { assertLegalName, assertNoBranch } from '../values/path.ts'
import type { StoredField, StoredValue } from '../values/stored-value.ts'
import { storedAnnotations } from '../values/unit.ts'
import { userValue } from '../values/user-value.ts'
import { checkComment, type ParameterValue, toStoredParameter } from '../values/value.ts'
import { type Integer, isInteger, isNamedValues } from '../values/value-forms.ts'

const PARAMETER: unique symbol = Symbol.for('pypet-ts.parameter') as never

/** A parameter with a comment or a unit, made by `parameter`. */
export interface ParameterDefinition<Value extends ParameterValue = ParameterValue> {
  readonly [PARAMETER]: true
  readonly value: Value
  readonly comment: string
  readonly unit?: string
}

/** Parameters by name; a plain object is a group. */
export interface ParameterTree {
  readonly [name: string]: ParameterValue | ParameterDefinition | ParameterTree
}

/** Widens literals: a default of `1` declares any number, not only 1. */
export type Widen<Value> = Value extends Integer
  ? number
  : Value extends number
    ? number
    : Value extends bigint
      ? bigint
      : Value extends boolean
        ? boolean
        : Value extends string
          ? string
          : Value extends readonly (number | Integer)[]
            ? readonly number[]
            : Value extends readonly string[]
              ? readonly string[]
              : Value extends readonly bigint[]
                ? readonly bigint[]
                : Value extends readonly boolean[]
                  ? readonly boolean[]
                  : Value extends readonly (readonly unknown[])[]
                    ? NestedValues<Value>
                    : Value extends PackageArray
                      ? PackageArrayValue
                      : Value

/**
 * What a job sees at `traj.par`: the same tree with values instead of definitions. If parameters are added one by one,
 * the compiler does not know their names, and the type is `any`.
 */
// biome-ignore lint/suspicious/noExplicitAny: names and types are known only at run time
export type ParameterValues<Tree> = string extends keyof Tree ? any : NamedValues<Tree>

type NamedValues<Tree> = {
  readonly [Name in keyof Tree]: Tree[Name] extends ParameterDefinition<infer Value>
    ? Widen<Value>
    : Tree[Name] extends ParameterValue
      ? Widen<Tree[Name]>
      : ParameterValues<Tree[Name]>
}

/** The same as a flat object with dotted names: `{ x: number, 'neuron.tau': number }`. */
export type FlatParameterValues<Tree> = Flatten<ParameterValues<Tree>>

type Flatten<Values> = UnionToIntersection<
  {
    [Name in keyof Values & string]: Values[Name] extends ParameterValue
      ? { [Key in Name]: Values[Name] }
      : Prefixed<Name, Flatten<Values[Name]>>
  }[keyof Values & string]
>
type Prefixed<Name extends string, Values> = {
  [Inner in keyof Values & string as `${Name}.${Inner}`]: Values[Inner]
}
/** The intersection of all members of a union. */
export type UnionToIntersection<Union> = (Union extends unknown ? (member: Union) => void : never) extends (
  all: infer All,
) => void
  ? All
  : never

/**
 * Declares a parameter with its default, a comment and a unit.
 *
 * @param options.unit stored as the annotation `unit`: a text of at most 64 bytes
 * @example
 * parameter(-70, { unit: 'mV', comment: 'at rest' })
 */
export function parameter<Value extends ParameterValue>(
  value: Value,
  options: { readonly comment?: string; readonly unit?: string } = {},
): ParameterDefinition<Value> {
  assertKnownOptions(options, ['comment', 'unit'], 'parameter')
  const { comment = '', unit } = options
  return { [PARAMETER]: true, value, comment, ...(unit !== undefined && { unit }) }
}

export function isParameterDefinition(value: unknown): value is ParameterDefinition {
  return typeof value === 'object' && value !== null && PARAMETER in value
}

/** A declared parameter, checked. `name` is relative to its branch, `neuron.tau`. A derived parameter has its full name. */
export interface Parameter {
  readonly name: string
  readonly comment: string
  /** The value as the job sees it. */
  readonly value: unknown
  /** The value as it is stored. */
  readonly stored: StoredValue
  /** The name of the user's own class, if the job gets an instance of it. */
  readonly userClass?: string
  /** Named values next to the data. */
  readonly annotations?: readonly StoredField[]
}

/**
 * Flattens a declared tree, in the order of declaration.
 *
 * @param where names the tree in messages, like `parameters`
 * @throws PypetError `PYPET_NAME_ILLEGAL`, `PYPET_NAME_TAKEN`, `PYPET_VALUE_UNSUPPORTED`
 */
export function flattenParameters(tree: ParameterTree, where: string): Parameter[] {
  const parameters: Parameter[] = []
  collect(tree, '', where, parameters)
  assertNoClashes(parameters, where)
  return parameters
}

function collect(tree: ParameterTree, prefix: string, where: string, into: Parameter[]): void {
  for (const [key, entry] of Object.entries(tree)) {
    const name = prefix + key
    assertLegalName(name, `${where}.${name}`)
    assertNoBranch(name, `${where}.${name}`)
    if (isNamedValues(entry)) {
      collect(entry as ParameterTree, `${name}.`, where, into)
      continue
    }
    const definition = isParameterDefinition(entry) ? entry : { value: entry, comment: '', unit: undefined }
    const { value, comment, unit } = definition
    const stored = toStoredParameter(value, `${where}.${name}`)
    checkComment(comment, `the comment of ${where}.${name}`)
    const annotations = storedAnnotations({ unit }, `${where}.${name}`)
    const described = { name, comment, ...(annotations !== undefined && { annotations }) }
    const userClass = instanceClassName(value)
    if (userClass !== undefined) into.push({ ...described, value: userValue(stored), stored, userClass })
    else into.push({ ...described, value: seenByJob(value, stored), stored })
  }
}

/** A job gets numbers instead of marked integers, and no methods that workers do not have. */
function seenByJob(value: unknown, stored: StoredValue): unknown {
  if (isInteger(value)) return value.value
  const isArray = (stored.form === 'ndarray' || stored.form === 'sparse') && !ArrayBuffer.isView(value)
  if (isArray && packageArray(value as object) !== undefined) return userValue(stored)
  let first = value
  while (Array.isArray(first)) first = first[0]
  return first !== value && isInteger(first) ? userValue(stored) : value
}

/** `{ 'a.b': 1, a: { b: 2 } }` names one parameter twice; `{ a: 1, 'a.b': 2 }` makes a leaf a group. */
function assertNoClashes(parameters: readonly Parameter[], where: string): void {
  const names = new Set<string>()
  const taken = (name: string, found: string) =>
    new PypetError('PYPET_NAME_TAKEN', `${where}.${name} is declared twice: ${found}`, {
      where: `${where}.${name}`,
      hint: 'Rename one of the two.',
    })
  for (const { name } of parameters) {
    if (names.has(name)) throw taken(name, 'as a parameter both times')
    names.add(name)
  }
  for (const { name } of parameters) {
    const parts = name.split('.')
    for (let depth = 1; depth < parts.length; depth += 1) {
      const group = parts.slice(0, depth).join('.')
      if (names.has(group)) throw taken(group, `as a parameter and as the group of ${name}`)
    }
  }
}
