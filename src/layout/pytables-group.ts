/** What PyTables needs to recognise a group as its own. */
import type { Hdf5Operation } from '../hdf5/operation.ts'
import { BRANCHES } from '../names.ts'

/** Attributes of a file's root. */
export function rootAttributes(title: string): Hdf5Operation[] {
  return [
    { type: 'create-attribute', path: '/', name: 'CLASS', value: 'GROUP' },
    { type: 'create-attribute', path: '/', name: 'VERSION', value: '1.0' },
    { type: 'create-attribute', path: '/', name: 'TITLE', value: title },
    { type: 'create-attribute', path: '/', name: 'PYTABLES_FORMAT_VERSION', value: '2.1' },
  ]
}

/** A group as PyTables writes it. */
export function pytablesGroup(path: string, title: string): Hdf5Operation[] {
  return [
    { type: 'create-group', path },
    { type: 'create-attribute', path, name: 'CLASS', value: 'GROUP' },
    { type: 'create-attribute', path, name: 'VERSION', value: '1.0' },
    { type: 'create-attribute', path, name: 'TITLE', value: title },
  ]
}

/** Groups of the tree, by full name, that are written as PyTables writes them. The many other groups do without. */
export const PYTABLES_GROUPS = [...BRANCHES, 'results.runs'] as const

/** A new group of the tree. */
export function treeGroup(path: string, fullName: string): Hdf5Operation[] {
  const isPyTables = PYTABLES_GROUPS.some((name) => name === fullName)
  return isPyTables ? pytablesGroup(path, '') : [{ type: 'create-group', path }]
}
