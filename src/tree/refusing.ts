/**
 * Refuses to set a property that an object does not have, and suggests the nearest name. Plain JavaScript would accept it
 * silently. The check is at the end of the prototype chain, so existing properties never reach it.
 */
import { PypetError } from '../errors.ts'
import { nearestHint } from '../values/nearest-name.ts'

/**
 * @param nounOf the name of an object in messages: `the trajectory T`
 * @param hintOf what to do instead, if the fix is not another name
 */
export function refuseUnknownProperties(
  prototype: object,
  nounOf: (object: never) => string,
  hintOf: (key: string) => string | undefined = () => undefined,
): void {
  const above = Object.getPrototypeOf(prototype) as object
  Object.setPrototypeOf(
    prototype,
    new Proxy(above, {
      set(target, key, value, receiver) {
        if (typeof key === 'symbol' || key in target) return Reflect.set(target, key, value, receiver)
        throw unknownProperty(nounOf(receiver as never), key, hintOf(key) ?? hint(key, receiver as object))
      },
    }),
  )
}

function unknownProperty(noun: string, key: string, hint: string): PypetError {
  return new PypetError('PYPET_USAGE', `${noun} has no property ${key} that can be set`, { where: key, hint })
}

function hint(key: string, object: object): string {
  const known = settableNames(object)
  if (known.length === 0) return 'It has no property that can be set.'
  return nearestHint(key, known, `Properties you can set: ${known.join(', ')}.`)
}

function settableNames(object: object): string[] {
  const names = new Set<string>(FIELDS.filter((name) => Object.hasOwn(object, name)))
  let at: object | null = object
  while (at !== null && at !== Object.prototype) {
    for (const [name, { set }] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
      if (set !== undefined && name !== 'isStored') names.add(name)
    }
    at = Object.getPrototypeOf(at) as object | null
  }
  names.delete('__proto__')
  return [...names].sort()
}

/** Fields that users may set. Other writable fields are internal. */
const FIELDS = ['autoLoad', 'maxDepth', 'noClobber', 'shortcuts', 'timestamp']
