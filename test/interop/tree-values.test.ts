/** The forms of values that pypet has classes for, as PyTables and h5py see them in a file that a script stored. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Trajectory } from '../../src/library/trajectory.ts'
import { table } from '../../src/values/value.ts'
import { fileTree } from '../experiment/file-tree.ts'
import { isSkipped, PYTHON, tellWhatIsMissing } from './python.ts'

tellWhatIsMissing()

const SCRIPT = `
import sys, json, h5py, tables, io, zipfile, math
f = tables.open_file(sys.argv[1]); r = f.root.t.results.all
text = lambda b: b.decode() if isinstance(b, bytes) else str(b)
out = {}
out['complex'] = str(complex(r.z.read()))
out['complexes'] = [str(complex(x)) for x in r.zs.read()]
out['matrix'] = r.matrix.read().tolist()
out['texts'] = [text(x) for x in r.texts.read().tolist()]
out['flags'] = r.flags.read().tolist()
out['nothing'] = math.isnan(r.nothing.read())
out['when'] = text(r.when.read().item())
out['record'] = {n: text(r.record.cols._f_col(n)[0]) for n in r.record.colnames}
out['table'] = {n: [text(x) for x in r.rows.cols._f_col(n)[:]] for n in r.rows.colnames}
out['deep'] = list(map(float, r.deep.inner.b.read()))
archive = zipfile.ZipFile(io.BytesIO(bytes.fromhex(text(getattr(r, 'sparse__spsp__').read().item()))))
out['archive'] = [archive.testzip(), sorted(archive.namelist())]
out['link'] = f.root.t.short.target
out['annotation'] = [text(r._v_attrs['SRVC_AN_unit']), r._v_attrs['SRVC_AN_tries'].tolist()]
out['class'] = text(r._v_attrs['SRVC_INIT_CLASS_NAME'])
p = f.root.t.parameters
out['idx'] = p.a.explored_data__rr__.col('idx').tolist()
out['range'] = [str(x) for x in p.c.explored_data.col('data').tolist()]
f.close()
with h5py.File(sys.argv[1]) as h:
    out['h5py'] = [str(h['t/results/all/z'][()]), h['t/results/all/rows'].dtype.names, h['t/overview/runs'].shape[0]]
print(json.dumps(out))
`

test.skipIf(isSkipped)('every form of value is what it is to PyTables and h5py', async () => {
  const filename = join(fileTree({}), 'f.h5')
  const traj = new Trajectory({
    name: 't',
    filename,
    parameters: { a: new Float64Array(2), c: { re: 1, im: 2 } },
  })
  traj.explore({
    a: [new Float64Array(2), Float64Array.of(1, 2), new Float64Array(2)],
    c: [
      { re: 1, im: 2 },
      { re: 0, im: -1 },
      { re: 3, im: 0 },
    ],
  })
  traj
    .addResult('all', {
      z: { re: 1, im: -2 },
      zs: [
        { re: 1, im: 0 },
        { re: 0, im: 1 },
      ],
      matrix: { data: Float32Array.of(1, 2, 3, 4), shape: [2, 2] },
      texts: { data: ['a', 'bb', 'ä☃'], shape: [3] },
      flags: { data: Uint8Array.of(1, 0), shape: [2], dtype: 'bool' },
      nothing: null,
      when: new Date(0),
      record: { a: 1, b: 'x', c: true },
      rows: table({ n: Int16Array.of(1, 2), s: ['x', 'yy'] }),
      deep: { inner: { b: [1, 2] } },
      sparse: { indptr: [0, 1, 2], indices: [1, 0], data: [1.5, 2.5], shape: [2, 2] },
    })
    .annotate({ unit: 'mV', tries: [1, 2] })
  traj.addLink('short', 'all')
  await traj.store()
  traj.close()
  const { status, stdout, stderr } = spawnSync(PYTHON, ['-W', 'ignore', '-c', SCRIPT, filename], {
    encoding: 'utf8',
  })
  expect([status, stderr]).toEqual([0, ''])
  expect(JSON.parse(stdout)).toEqual({
    complex: '(1-2j)',
    complexes: ['(1+0j)', '1j'],
    matrix: [
      [1, 2],
      [3, 4],
    ],
    texts: ['a', 'bb', 'ä☃'],
    flags: [1, 0],
    nothing: true,
    when: '1970-01-01T00:00:00.000Z',
    record: { a: '1.0', b: 'x', c: '1' },
    table: { n: ['1', '2'], s: ['x', 'yy'] },
    deep: [1, 2],
    archive: [null, ['data.npy', 'format.npy', 'indices.npy', 'indptr.npy', 'shape.npy']],
    link: '/t/results/all',
    annotation: ['mV', [1, 2]],
    class: 'SparseResult',
    idx: [0, 1, 0],
    range: ['(1+2j)', '-1j', '(3+0j)'],
    h5py: ['(1-2j)', ['n', 's'], 3],
  })
})
