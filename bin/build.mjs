/**
 * Bundles `src` into `dist`; run by `npm run build`, after the compiler, which has checked the types and written the
 * declarations. Many small modules cost more to find and to read than to run, so each process starts with few files.
 *
 *     node bin/build.mjs           as it is published
 *     node bin/build.mjs --debug   for a debugger: lines as written, and source maps
 *     node bin/build.mjs --docs    writes docs/configuration.md, too
 */
import { createHash } from 'node:crypto'
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const SOURCE = join(ROOT, 'src')
const DIST = join(ROOT, 'dist')
const isDebug = process.argv.includes('--debug')

/** Of `dist/node/hdf5_util.js` in h5wasm 0.10.3. */
const HDF5_UTIL_SHA256 = 'e5afde030f425244b46c7161762230e13d6e41989ba7be077297296237d1442a'

/** What a process or a thread loads together with a job. Their classes are the same wherever they meet. */
const SHARING = {
  launch: 'cli/launch.ts',
  index: 'index.ts',
  'run-thread': 'executors/run-thread.ts',
  'run-process': 'executors/run-process.ts',
  'lock-worker': 'storage/lock/lock-worker.ts',
  'service-worker': 'storage/service/service-worker.ts',
  'memory-worker': 'storage/service/memory-worker.ts',
}

const { dependencies: pinned } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
const dependencies = Object.keys(pinned)
/** Packages that become part of the bundles: what most commands need, and looking for its files costs the most. */
const BUNDLED = ['commander', 'fastest-levenshtein', 'h5wasm', 'picocolors']
/** Of scripts, style and document together. */
const PAGE_BYTES_MAX = 200_000
/** Draws pictures, with packages that nothing else needs. */
const PICTURES = 'plot/svg/svg-document.ts'

const COMMON = {
  absWorkingDir: SOURCE,
  outdir: DIST,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  // The others stay packages: some find files beside their own, and `import()` of bundled CommonJS loses names.
  external: dependencies.filter((name) => !BUNDLED.includes(name)),
  // Names stay as they are written: they stand in stacks.
  minifyWhitespace: !isDebug,
  minifySyntax: !isDebug,
  // Node prints the line where an error was thrown.
  lineLimit: 160,
  sourcemap: isDebug ? 'linked' : false,
  sourcesContent: false,
  legalComments: 'none',
  logLevel: 'warning',
}

/** Those of an earlier build may have other names, and lie in other folders. Declarations are the compiler's. */
function removeBundles() {
  mkdirSync(DIST, { recursive: true })
  for (const path of readdirSync(DIST, { recursive: true, encoding: 'utf8' })) {
    if (/\.(?:js|js\.map|wasm|css|html|svg)$|^built$/.test(path)) rmSync(join(DIST, path))
  }
}

/**
 * Entries that share what `index.ts` exports, so that it lands in files of its own. Then `index.js`
 * only names them, and a job loads what it imports (src/experiment/package-plugin.ts).
 */
function partsOfIndex() {
  return {
    name: 'parts-of-index',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^part:/ }, ({ path }) => ({ path, namespace: 'part' }))
      onLoad({ filter: /.*/, namespace: 'part' }, ({ path }) => {
        const isWanted = (module) =>
          /^(?:errors|experiment|exploration|trajectory)\b/.test(module) === (path === 'part:jobs')
        const lines = exportingModules()
          .filter(isWanted)
          .map((module) => `export * from './${module}'`)
        return { contents: lines.join('\n'), resolveDir: SOURCE }
      })
    },
  }
}

/**
 * esbuild puts modules into one file when the same entries reach them. With thirty entries (each dynamic import is one) that
 * makes a hundred files. So each entry also imports all of every room that it needs a part of.
 */
const ROOMS = {
  /** What jobs import and what performs their runs. */
  job: [
    'part:jobs',
    './executors/run-worker.ts',
    './executors/range-length.ts',
    './executors/own-clock.ts',
    './exploration/run-point.ts',
  ],
  /** The road of a run in the main process. */
  run: ['./cli/run/perform.ts', './environment/run-experiment.ts'],
  /** Whatever knows HDF5 there. */
  file: [
    'part:library',
    './storage/trajectory-store.ts',
    './results/summarise.ts',
    './cli/overview/perform.ts',
  ],
}

function roomsOf(path) {
  if (/^cli\/(?:launch|main|(?:init|completion)\/perform)\.ts$|^storage\/queue\/writer\.ts$/.test(path))
    return []
  if (/^executors\/run-(?:thread|process)\.ts$|^storage\/service\/(?:service|memory)-worker\.ts$/.test(path))
    return ['job']
  if (path === 'storage/lock/lock-worker.ts') return ['job', 'file']
  if (/^(?:executors|reporting|exploration|experiment)\/|^cli\/(?:run|plan)\//.test(path))
    return ['job', 'run']
  return ['job', 'run', 'file']
}

function rooms() {
  return {
    name: 'rooms',
    setup({ onResolve, onLoad }) {
      const entries = new Set([...Object.values(SHARING), ...dynamicallyImported()])
      onResolve({ filter: /^room:/ }, ({ path }) => ({ path, namespace: 'room' }))
      onLoad({ filter: /.*/, namespace: 'room' }, ({ path }) => ({
        contents: ROOMS[path.slice('room:'.length)].map((module) => `import '${module}'`).join('\n'),
        resolveDir: SOURCE,
      }))
      onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const name = relative(SOURCE, path).replaceAll('\\', '/')
        if (!entries.has(name)) return undefined
        const imports = roomsOf(name).map((room) => `import 'room:${room}'`)
        return { contents: `${readFileSync(path, 'utf8')}\n${imports.join('\n')}`, loader: 'ts' }
      })
    },
  }
}

function dynamicallyImported() {
  return readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .flatMap((path) => {
      const text = readFileSync(join(SOURCE, path), 'utf8')
      return [...text.matchAll(/\bimport\('(\..+?)'\)/g)].map(([, to]) =>
        join(dirname(path), to).replaceAll('\\', '/'),
      )
    })
}

/** The modules that `index.ts` exports more than types of. */
function exportingModules() {
  const text = readFileSync(join(SOURCE, 'index.ts'), 'utf8')
  return [...text.matchAll(/^export \{([^}]*)\} from '\.\/(.+)'$/gm)]
    .filter(([, names]) => names.split(',').some((name) => !/^\s*(?:type\s|$)/.test(name)))
    .map(([, , module]) => module)
}

/** Pictures are a bundle of their own, which is loaded when one is drawn. */
function pictures() {
  return {
    name: 'pictures',
    setup({ onResolve }) {
      onResolve({ filter: /\/svg-document\.ts$/ }, () => ({ path: './pictures.js', external: true }))
    },
  }
}

/** Lets bundled CommonJS have modules of Node, though nothing can be required in an ES module. */
function importedBuiltins() {
  return {
    name: 'imported-builtins',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^node:/ }, ({ path, kind }) =>
        kind === 'require-call' ? { path, namespace: 'builtin' } : undefined,
      )
      onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({
        contents: `export { default } from '${path}'`,
      }))
      onLoad({ filter: /[\\/]node_modules[\\/]commander[\\/].*\.js$/ }, ({ path }) => ({
        contents: readFileSync(path, 'utf8').replace(/\brequire\('node:\w+'\)/g, '$&.default'),
      }))
    },
  }
}

/** The page of `pypet-ts view`: a document, a style, a script and that of its worker. Nothing is loaded from elsewhere. */
async function buildPage() {
  const page = join(SOURCE, 'view/page')
  const built = await build({
    absWorkingDir: SOURCE,
    metafile: true,
    entryPoints: [
      { in: join(page, 'main.tsx'), out: 'page' },
      { in: join(page, 'page.css'), out: 'page' },
      { in: join(page, 'sort-worker.ts'), out: 'sorter' },
    ],
    outdir: join(DIST, 'page'),
    bundle: true,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    minify: !isDebug,
    sourcemap: isDebug ? 'linked' : false,
    legalComments: 'none',
    logLevel: 'warning',
  })
  for (const name of ['page.html', 'page.svg']) copyFileSync(join(page, name), join(DIST, 'page', name))
  const bytes = readdirSync(join(DIST, 'page')).map((name) => statSync(join(DIST, 'page', name)).size)
  const total = bytes.reduce((sum, each) => sum + each)
  if (!isDebug && total > PAGE_BYTES_MAX)
    throw new Error(`the page has ${total} bytes, more than ${PAGE_BYTES_MAX}`)
  return built
}

/** The licences of the packages in the bundles ask to be shipped with their code. */
function writeLicenses(builds) {
  const outputs = builds.flatMap(({ metafile }) => Object.values(metafile.outputs))
  const inputs = outputs.flatMap((output) => Object.keys(output.inputs))
  const folders = new Set(BUNDLED.map((name) => `node_modules/${name}`))
  for (const path of inputs) {
    const folder = /node_modules\/(?:.*\/node_modules\/)?(?:@[^/]+\/)?[^/]+/.exec(path)?.[0]
    if (folder !== undefined) folders.add(folder)
  }
  const texts = [...folders].sort().map((path) => {
    const folder = join(ROOT, path)
    const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    const file = readdirSync(folder).find((each) => /^licen[cs]e(?:\.|$)/i.test(each))
    return `${name} ${version}\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n`
  })
  writeFileSync(join(DIST, 'bundled-licenses.txt'), texts.join(`\n${'-'.repeat(80)}\n\n`))
}

function assertIndexIsThin({ outputs }) {
  const own = Object.keys(
    outputs[Object.keys(outputs).find((path) => path.endsWith('/dist/index.js'))].inputs,
  )
  if (own.some((path) => path !== 'index.ts')) {
    throw new Error(`dist/index.js has code of its own, which a job would load twice: ${own.join(', ')}`)
  }
}

/**
 * h5wasm keeps its WebAssembly as a text of four megabytes inside of a module, which Node reads, parses and turns into
 * bytes at each start. Here it becomes a file beside the bundles. That changes what a package says, so it must be the very
 * package that this was written for.
 */
function openH5wasm() {
  const entry = fileURLToPath(import.meta.resolve('h5wasm/node'))
  const holder = join(entry, '../hdf5_util.js')
  const text = readFileSync(holder, 'utf8')
  const found = createHash('sha256').update(text).digest('hex')
  if (found !== HDF5_UTIL_SHA256) {
    throw new Error(
      `${holder} is not the one that bin/build.mjs knows: its SHA-256 is ${found}. Look whether its function ` +
        'findWasmBinary still holds the bytes, then write this digest into HDF5_UTIL_SHA256.',
    )
  }
  const [whole, literal] = /function findWasmBinary\(\)\{return binaryDecode\(('(?:[^'\\]|\\.)*')\)\}/s.exec(
    text,
  )
  const reading = `function findWasmBinary(){return require("fs").readFileSync(new URL("./hdf5.wasm",import.meta.url))}`
  return {
    plugin: {
      name: 'h5wasm',
      setup({ onResolve, onLoad }) {
        onResolve({ filter: /^h5wasm\/node$/ }, () => ({ path: holder }))
        // What the package puts around it, for programs that use its classes, we do not use (src/hdf5/h5wasm.ts).
        const asEntry = 'export default { ready: Module({ noInitialRun: true }) }'
        onLoad({ filter: /hdf5_util\.js$/ }, () => ({
          contents: `${text.replace(whole, () => reading).replace(/export default Module;?\s*$/, '')}\n${asEntry}`,
        }))
      },
    },
    write() {
      // As the package's own `binaryDecode`: characters from 0x100 on stand for NUL.
      const characters = new Function(`return ${literal}`)()
      const bytes = Uint8Array.from(characters, (character) => {
        const code = character.charCodeAt(0)
        return (~code >> 8) & code
      })
      if (!WebAssembly.validate(bytes)) throw new Error(`what ${holder} holds is no WebAssembly`)
      writeFileSync(join(DIST, 'hdf5.wasm'), bytes)
    },
  }
}

removeBundles()
const h5wasm = openH5wasm()
const [main, pictured, , page] = await Promise.all([
  build({
    ...COMMON,
    entryPoints: { ...SHARING, 'index-jobs': 'part:jobs', 'index-library': 'part:library' },
    splitting: true,
    chunkNames: '[name]-[hash]',
    metafile: true,
    // Otherwise imports that only keep modules together would be dropped: the package has no side effects.
    ignoreAnnotations: true,
    // And imports of nothing but types would be kept.
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: false } },
    plugins: [h5wasm.plugin, importedBuiltins(), partsOfIndex(), rooms(), pictures()],
  }),
  build({
    ...COMMON,
    entryPoints: { pictures: PICTURES },
    metafile: true,
    // Half of its size, and most of it are foreign names.
    minifyIdentifiers: !isDebug,
  }),
  // The writer shares nothing with others, and one file is what a process reads fastest.
  build({
    ...COMMON,
    entryPoints: { 'writer-process': 'storage/queue/writer-process.ts' },
    plugins: [h5wasm.plugin],
  }),
  buildPage(),
  build({
    ...COMMON,
    entryPoints: {
      'write-json-schema': 'experiment/write-json-schema.ts',
      'write-config-reference': 'experiment/write-config-reference.ts',
    },
  }),
])
h5wasm.write()
writeLicenses([main, pictured, page])
assertIndexIsThin(main.metafile)
for (const part of ['jobs', 'library']) rmSync(join(DIST, `index-${part}.js`))
await run('write-json-schema')
if (process.argv.includes('--docs')) await run('write-config-reference')
for (const name of ['write-json-schema', 'write-config-reference']) rmSync(join(DIST, `${name}.js`))
// What `npm test` looks for: it wants the bundles that are published.
if (!isDebug) writeFileSync(join(DIST, 'built'), '')

async function run(name) {
  await import(pathToFileURL(join(DIST, `${name}.js`)).href)
}
