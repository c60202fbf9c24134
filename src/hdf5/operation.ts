/**
 * Operations on an HDF5 file, as data: `layout/` decides, `hdf5/file` applies. Paths are absolute, without a trailing
 * slash. Operations are applied in order, parents first.
 */
export type Hdf5Type =
  | { readonly kind: 'float'; readonly bytes: 4 | 8 }
  | { readonly kind: 'int' | 'uint'; readonly bytes: 1 | 2 | 4 | 8 }
  | { readonly kind: 'string'; readonly bytes: number; readonly charset: 'ascii' | 'utf8' }
  | { readonly kind: 'compound'; readonly bytes: number; readonly columns: readonly Hdf5Column[] }

/** A member of a packed compound; `offset` counts bytes from the row's start. */
export interface Hdf5Column {
  readonly name: string
  readonly offset: number
  readonly type: Hdf5Type
}

export type Hdf5Operation =
  | { readonly type: 'create-group'; readonly path: string }
  | {
      readonly type: 'create-dataset'
      readonly path: string
      readonly elementType: Hdf5Type
      readonly shape: readonly number[]
      /** All elements, little-endian, in C order. Without them, the dataset is chunked, and its elements are zero. */
      readonly bytes?: Uint8Array
      /** Deflate level 1 to 9, or 0 for none. Deflated data is chunked. */
      readonly deflate?: number
      /** Chunk sizes. Chosen automatically if absent. */
      readonly chunks?: readonly number[]
      /** Maximum sizes of the axes, null for no limit. Default: the current sizes. */
      readonly maxShape?: readonly (number | null)[]
    }
  /**
   * A table: one dimension, extendable, chunked by `chunkRows`. If it has rows but none are given, `write-rows`
   * follows.
   */
  | {
      readonly type: 'create-table'
      readonly path: string
      readonly rowType: Hdf5Type & { readonly kind: 'compound' }
      readonly rowCount: number
      readonly chunkRows: number
      /** Deflate level 1 to 9, or 0 for none. */
      readonly deflate: number
      /** All rows, packed. Small enough to be in memory at once. */
      readonly rows?: Uint8Array
    }
  /** Makes a dataset a dimension scale, as NetCDF's dimensions are. */
  | { readonly type: 'make-scale'; readonly path: string; readonly name: string }
  /** Names an axis of a dataset by a dimension scale. */
  | { readonly type: 'attach-scale'; readonly path: string; readonly axis: number; readonly scale: string }
  | { readonly type: 'create-soft-link'; readonly path: string; readonly target: string }
  /** Replaces elements with others of the same shape and type. */
  | {
      readonly type: 'write-box'
      readonly path: string
      readonly offset: readonly number[]
      readonly count: readonly number[]
      readonly bytes: Uint8Array
    }
  /** Changes the number of rows of a table, or of a dataset with rows of this shape. */
  | {
      readonly type: 'resize-table'
      readonly path: string
      readonly rowCount: number
      readonly rowShape?: readonly number[]
    }
  | {
      readonly type: 'write-rows'
      readonly path: string
      readonly firstRow: number
      readonly rowCount: number
      readonly bytes: Uint8Array
    }
  /** A text as a scalar UTF-8 string, a number as int64, a boolean as int8: what PyTables and pypet read back. */
  | {
      readonly type: 'create-attribute'
      readonly path: string
      readonly name: string
      readonly value: string | number | boolean
    }
  | {
      readonly type: 'replace-attribute'
      readonly path: string
      readonly name: string
      readonly value: string | number | boolean
    }
  | { readonly type: 'delete-attribute'; readonly path: string; readonly name: string }
  /** An attribute of any type and shape; all elements little-endian, in C order. */
  | {
      readonly type: 'create-raw-attribute'
      readonly path: string
      readonly name: string
      readonly elementType: Hdf5Type
      readonly shape: readonly number[]
      readonly bytes: Uint8Array
    }
