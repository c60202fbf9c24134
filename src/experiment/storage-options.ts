/** Where runs are stored: options that must not contradict each other. */
import { PypetError } from '../errors.ts'
import type { OptionValue } from './option.ts'
import type { OptionName } from './options.ts'
import { describePlace, type Origin } from './origin.ts'

export interface StorageOptions {
  readonly wrapMode: 'queue' | 'lock' | 'none'
  readonly useHdf5: boolean
}

/**
 * @param isGiven a script passes its own storage service
 * @throws PypetError `PYPET_CONFIG_INVALID`, naming both places
 */
export function storageOf(
  values: { readonly [Name in OptionName]?: OptionValue },
  origins: Readonly<Record<OptionName, Origin>>,
  isGiven: boolean,
): StorageOptions {
  const place = (name: OptionName) => describePlace(name, origins[name])
  const hasService = isGiven || values.storageService !== undefined
  const service =
    values.storageService === undefined ? 'the storageService of the call' : place('storageService')
  const wrapMode = (values.wrapMode ?? (hasService ? 'none' : 'queue')) as StorageOptions['wrapMode']
  const isHdf5Said = origins.useHdf5.kind !== 'default'
  if (!hasService && wrapMode === 'none') {
    throw contradiction(place('wrapMode'), 'is none, but there is no storageService', SERVICE_HINT)
  }
  if (!hasService && values.useHdf5 === false) {
    throw contradiction(place('useHdf5'), 'is false, but there is no storageService', SERVICE_HINT)
  }
  if (hasService && isHdf5Said && values.useHdf5 === true) {
    throw contradiction(
      service,
      `is given, and ${place('useHdf5')} is true: runs are stored in only one place`,
      HDF5_HINT,
    )
  }
  if (hasService && values.layout === 'columns') {
    throw contradiction(
      service,
      `is given, and ${place('layout')} is columns, which only an HDF5 file can have`,
      'Leave out one of them.',
    )
  }
  if (hasService && wrapMode === 'lock') {
    throw contradiction(
      service,
      `is given, and ${place('wrapMode')} is lock, which locks the HDF5 file`,
      'Leave out the wrap mode, or use queue: then the main process stores the runs one by one.',
    )
  }
  return { wrapMode, useHdf5: !hasService }
}

const SERVICE_HINT =
  'Name the module of a storage service (storageService), or leave this out to write an HDF5 file.'
const HDF5_HINT = 'Leave out one of them. The service MemoryStorage can also write an HDF5 file.'

function contradiction(where: string, found: string, hint: string): PypetError {
  return new PypetError('PYPET_CONFIG_INVALID', `${where} ${found}`, { where, hint })
}
