/** The user's own classes. An instance is stored as the result of its `store()` and restored by its class. */
import { type StoredValue, typeName } from './stored-value.ts'
import type { ElementParts } from './structured-value.ts'
import { isPlainObject } from './value-forms.ts'

/** A class that is found by name when a job or a trajectory is loaded. */
export interface OwnClass {
  readonly name: string
  /** Makes an instance from the result of `store()`. */
  load(stored: never): unknown
}

/** Your own class, or the module that exports it: `./my-classes.ts#Spectrum`. */
export type ClassReference = OwnClass | string

/**
 * An instance as a parameter. `store()` returns one value that a parameter may hold, or several by name. The static
 * `load` of the class makes an instance from them.
 */
export interface OwnParameter {
  store(): unknown
}

/** Classes by name. */
export type OwnClasses = ReadonlyMap<string, OwnClass>

/** True for an instance of a class with `store()`. */
export function isStoring(value: unknown): value is OwnParameter {
  if (typeof value !== 'object' || value === null || isPlainObject(value)) return false
  return typeof (value as Partial<OwnParameter>).store === 'function'
}

/** The class of an instance that can be stored and restored; undefined for any other value. */
export function ownClassOf(value: unknown): OwnClass | undefined {
  const own: unknown = isStoring(value) ? value.constructor : undefined
  return isOwnClass(own) ? own : undefined
}

export function isOwnClass(value: unknown): value is OwnClass {
  const given = value as Partial<OwnClass> | null | undefined
  const isObject = typeof value === 'function' || (typeof value === 'object' && value !== null)
  return isObject && typeof given?.name === 'string' && given.name !== '' && typeof given.load === 'function'
}

/** The class name of an instance; undefined for any other value. */
export function instanceClassName(value: unknown): string | undefined {
  const own = ownClassOf(value)
  return own?.name
}

/** @throws PypetError `PYPET_VALUE_UNSUPPORTED` for a value that a parameter cannot hold */
export function storedInstance(instance: OwnParameter, where: string, parts: ElementParts): StoredValue {
  const stored = parts.toStored(instance.store(), `${where}.store()`)
  const isEmpty = stored.form === 'record' && stored.fields.length === 0
  if (stored.form !== 'table' && !isEmpty) return stored
  const found = isEmpty ? 'an empty object' : `a ${typeName(stored)}`
  throw parts.unsupported(
    `${where}.store()`,
    found,
    'one value that a parameter may hold, or several by name',
  )
}

/** A value that was already checked, for parameters of a tree that were declared elsewhere. */
export class CheckedValue {
  readonly stored: StoredValue
  readonly userClass: string | undefined

  constructor({
    stored,
    userClass,
  }: { readonly stored: StoredValue; readonly userClass?: string | undefined }) {
    this.stored = stored
    this.userClass = userClass
  }
}

/** Classes of the instances in a tree of parameters. */
export function classesIn(tree: unknown, into = new Map<string, OwnClass>()): Map<string, OwnClass> {
  const own = ownClassOf(tree)
  if (own !== undefined) into.set(own.name, own)
  else if (isPlainObject(tree)) for (const entry of Object.values(tree)) classesIn(entry, into)
  return into
}
