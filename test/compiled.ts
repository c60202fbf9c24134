/** Programs of tests that use modules of `src`, compiled, since not every Node reads TypeScript. */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { afterAll } from 'vitest'
import { ROOT } from './source-tree.ts'

/** By the program; for all tests of a file. */
const compiled = new Map<string, Promise<string>>()
let folder: string | undefined

afterAll(() => {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
})

/**
 * The path of a program that Node runs as it is. Its processes and threads are those of `dist`.
 *
 * @param program the path of a file below `test`, or a text whose imports are relative to `test`
 */
export function compile(program: string): Promise<string> {
  const known = compiled.get(program)
  if (known !== undefined) return known
  const path = compileNow(program, compiled.size)
  compiled.set(program, path)
  return path
}

async function compileNow(program: string, number: number): Promise<string> {
  folder ??= realpathSync(mkdtempSync(join(tmpdir(), 'test-compiled-')))
  const test = join(ROOT, 'test')
  const isFile = /^[\w./-]+\.m?[jt]s$/.test(program)
  const outfile = join(folder, `program-${number}.mjs`)
  await build({
    ...(isFile
      ? { entryPoints: [join(test, program)] }
      : { stdin: { contents: program, resolveDir: test, loader: 'ts' } }),
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    logLevel: 'error',
    // Modules look for the files of the package from where they are, and packages lie there as well.
    define: { 'import.meta.url': JSON.stringify(pathToFileURL(join(ROOT, 'dist/program.js')).href) },
    plugins: [absolutePackages],
  })
  return outfile
}

/** Packages are found from the program's folder, which has none. */
const absolutePackages = {
  name: 'absolute-packages',
  setup(builder: Parameters<NonNullable<Parameters<typeof build>[0]['plugins']>[number]['setup']>[0]) {
    builder.onResolve({ filter: /^[a-z@]/ }, ({ path, kind }) =>
      kind === 'entry-point' || /^\w+:/.test(path)
        ? undefined
        : { path: import.meta.resolve(path), external: true },
    )
  },
}
