import { bundleClasses } from '../experiment/bundle-classes.ts'
import { importClasses } from '../experiment/own-classes.ts'
import type { OwnClass } from '../values/own-class.ts'

/**
 * Imports classes from modules, `./my-classes.ts#Spectrum`, relative to the current folder.
 *
 * @throws PypetError `PYPET_CLASS_UNKNOWN`
 */
export async function importOwnClasses(modules: readonly string[]): Promise<OwnClass[]> {
  const { addresses, ...bundle } = await bundleClasses(modules, process.cwd())
  try {
    const classes = new Map<string, OwnClass>()
    await importClasses(addresses, classes)
    return [...classes.values()]
  } finally {
    await bundle[Symbol.asyncDispose]()
  }
}
