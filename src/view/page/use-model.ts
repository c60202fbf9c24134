import { createContext } from 'preact'
import { useContext, useEffect, useReducer } from 'preact/hooks'
import type { Model } from './model.ts'

export const ModelContext = createContext<Model | undefined>(undefined)

/** The model. The component is drawn again whenever it changes. */
export function useModel(): Model {
  const model = useContext(ModelContext)
  if (model === undefined) throw new Error('there is no model')
  const [, redraw] = useReducer((count: number, _action: undefined) => count + 1, 0)
  useEffect(() => model.subscribe(() => redraw(undefined)), [model])
  return model
}
