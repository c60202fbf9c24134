/** What PyTables wants to find at groups that it is to know as its own. */
import type { Hdf5Operation } from '../hdf5/operation.ts'

/** Attributes of a file's root. */
export function rootAttributes(title: string): Hdf5Operation[] {
  return [
    { type: 'create-attribute', path: '/', name: 'CLASS', value: 'GROUP' },
    { type: 'create-attribute', path: '/', name: 'VERSION', value: '1.0' },
    { type: 'create-attribute', path: '/', name: 'TITLE', value: title },
    { type: 'create-attribute', path: '/', name: 'PYTABLES_FORMAT_VERSION', value: '2.1' },
  ]
}

/** A group as PyTables itself writes one. */
export function pytablesGroup(path: string, title: string): Hdf5Operation[] {
  return [
    { type: 'create-group', path },
    { type: 'create-attribute', path, name: 'CLASS', value: 'GROUP' },
    { type: 'create-attribute', path, name: 'VERSION', value: '1.0' },
    { type: 'create-attribute', path, name: 'TITLE', value: title },
  ]
}
