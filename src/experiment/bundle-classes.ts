/** Modules of classes given by path: `./my-classes.ts#Spectrum`. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PypetError } from '../errors.ts'
import type { ClassAddress } from '../protocol.ts'
import type { OwnClass } from '../values/own-class.ts'
import { keptClasses } from './job-functions.ts'
import { bundleModule } from './module-bundle.ts'

export interface ClassBundle extends AsyncDisposable {
  readonly addresses: readonly ClassAddress[]
}

/**
 * Bundles the modules, each once. Classes passed directly are known only in this thread.
 *
 * @param folder that paths are relative to
 * @throws PypetError `PYPET_CLASS_UNKNOWN`
 */
export async function bundleClasses(
  given: readonly (OwnClass | string)[],
  folder: string,
): Promise<ClassBundle> {
  const names = new Map<string, string[]>()
  const classes: OwnClass[] = []
  for (const reference of given) {
    if (typeof reference !== 'string') classes.push(reference)
    else {
      const { file, name } = placeOf(reference, folder)
      names.set(file, [...(names.get(file) ?? []), name])
    }
  }
  const addresses: ClassAddress[] = []
  const disposals: (() => void | Promise<void>)[] = []
  const dispose = async () => {
    for (const undo of disposals) await undo()
  }
  if (classes.length > 0) {
    const url = keptClasses.keep(classes)
    disposals.push(() => keptClasses.forget(url))
    addresses.push({ url, file: '', names: classes.map(({ name }) => name) })
  }
  try {
    for (const [file, ofFile] of names) {
      const bundle = await bundleModule(file, { noun: 'class module', code: 'PYPET_CLASS_UNKNOWN' })
      disposals.push(() => bundle.dispose())
      addresses.push({ url: bundle.url, file, names: ofFile })
    }
  } catch (error) {
    await dispose()
    throw error
  }
  return { addresses, [Symbol.asyncDispose]: dispose }
}

function placeOf(reference: string, folder: string): { readonly file: string; readonly name: string } {
  const hash = reference.lastIndexOf('#')
  const path = reference.slice(0, Math.max(0, hash))
  const name = reference.slice(hash + 1)
  const file = path.startsWith('file:') ? fileURLToPath(path) : resolve(folder, path)
  const isThere = path !== '' && name !== '' && existsSync(file)
  if (isThere) return { file, name }
  const found =
    path === '' || name === '' ? 'it does not name a module and a class' : `${file} does not exist`
  throw new PypetError('PYPET_CLASS_UNKNOWN', `cannot import ${reference}: ${found}`, {
    where: 'dynamicImports',
    hint: "Write the path of the module and the exported name: './my-classes.ts#Spectrum'.",
  })
}
