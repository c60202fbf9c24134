/** pypet's example 9: large results are stored, emptied, added to, and loaded in parts. */
import { loadTrajectory, Trajectory } from '../../src/index.ts'

export default async function example(folder: string) {
  const filename = `${folder}/example_09.h5`
  const traj = new Trajectory({ name: 'example_09_huge_data', filename })
  const mat1 = { data: Float64Array.from({ length: 1000 }, (_, index) => index / 7), shape: [10, 10, 10] }
  const mat2 = { data: new Float64Array(1000).fill(1), shape: [100, 10] }
  const matrices = traj.addResult('huge_matrices', { mat1, mat2 })
  await traj.store()
  matrices.empty()
  const is_empty = matrices.isEmpty
  matrices.setItem('monty', 'Always look on the bright side of life!')
  await traj.storeItem('huge_matrices')
  traj.close()

  using again = await loadTrajectory(filename, { results: 'skeleton', autoLoad: false })
  const loaded = again.getResult('huge_matrices')
  await again.loadItem(loaded, { only: ['monty', 'mat1'] })
  const { data, shape } = loaded.get('mat1') as typeof mat1
  return {
    is_empty,
    items: [...loaded.itemNames].sort(),
    monty: loaded.get('monty'),
    shape,
    element: data[345],
  }
}
