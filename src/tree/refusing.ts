/**
 * What plain JavaScript sets on an object and the object does not have: refused with the nearest name, instead of passing
 * in silence. The refusal stands at the end of the chain of prototypes, so what an object has never comes there.
 */
import { PypetError } from '../errors.ts'
import { nearestHint } from '../values/nearest-name.ts'

/**
 * @param nounOf what an object is called: `the trajectory T`
 * @param hintOf what to do instead, where that is no other name
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
  if (known.length === 0) return 'Nothing of it can be set.'
  return nearestHint(key, known, `What can be set: ${known.join(', ')}.`)
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

/** Those that users may set; others are writable for ourselves. */
const FIELDS = ['autoLoad', 'maxDepth', 'noClobber', 'shortcuts', 'timestamp']
