/**
 * The one door to h5wasm. It is loaded when first needed: compiling it costs about 70 ms, which a
 * command that touches no HDF5 file does not pay.
 */
import type h5wasm from 'h5wasm/node'

export type H5Module = Awaited<(typeof h5wasm)['ready']>
export type H5Metadata = Parameters<H5Module['create_dataset']>[3]

let loading: Promise<H5Module> | undefined
let loaded: H5Module | undefined

/** The HDF5 library, with errors thrown instead of printed. */
export function loadH5wasm(): Promise<H5Module> {
  loading ??= import('h5wasm/node').then(async ({ default: library }) => {
    const module = await library.ready
    module.activate_throwing_error_handler()
    loaded = module
    return module
  })
  return loading
}

/** The library, for who cannot wait: somebody must have awaited `loadH5wasm` before. */
export function loadedH5wasm(): H5Module {
  if (loaded === undefined) throw new Error('the HDF5 library is not loaded')
  return loaded
}

/**
 * The one line of an HDF5 error report that names the cause. HDF5 prints its whole call stack,
 * outermost call first.
 */
export function hdf5Cause(thrown: unknown): string {
  const report = thrown instanceof Error ? thrown.message : String(thrown)
  const descriptions = [...report.matchAll(/#\d{3}: .*?: (.*)/g)].map((match) => match[1] as string)
  return descriptions.at(-1)?.replace(/\s+/g, ' ').trim() ?? report.split('\n')[0] ?? report
}
