/** ENTRY of the page. */
import { render } from 'preact'
import { takeToken } from './api.ts'
import { App } from './app.tsx'
import { Model } from './model.ts'
import { ModelContext } from './use-model.ts'

takeToken()
const model = new Model(location.hash)
void model.start()
render(
  <ModelContext.Provider value={model}>
    <App />
  </ModelContext.Provider>,
  document.getElementById('app') as HTMLElement,
)
