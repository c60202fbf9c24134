import { writeRows } from '../../src/hdf5/table.ts'
import { INFO } from '../../src/layout/overview-tables.ts'
import { editHdf5File } from '../../src/storage/edit/edit-file.ts'

/** Makes a file look as if another version had written it. */
export async function setVersion(file: string, trajectory: string, version: string): Promise<void> {
  const row = [trajectory, '', 6, 0, '', 'Node.js 99.0.0', version]
  await editHdf5File(file, { trajectory }, ({ apply }) =>
    apply(writeRows(`/${trajectory}/overview/info`, INFO, 0, [row])),
  )
}
