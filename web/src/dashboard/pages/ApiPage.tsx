/** The REST API, from the server's own description of it. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { type ApiDocument, type Field, type Operation, readDocument, type Schema } from "../openapi/document.ts";
import { href } from "../state/location.ts";
import { openapi } from "../state/rest.ts";
import { t } from "../state/settings.ts";

export function ApiPage() {
  const json = useSignal<unknown>(undefined);
  const failed = useSignal(false);
  useEffect(() => {
    openapi().then(
      (value) => {
        json.value = value;
      },
      () => {
        failed.value = true;
      },
    );
  }, []);
  if (failed.value) return <p class="nothing">{t.value.apiFailed}</p>;
  if (!json.value) return <p class="page muted">{t.value.loading} …</p>;
  return <Reference api={readDocument(json.value, t.value.other)} />;
}

function Reference({ api }: { api: ApiDocument }) {
  return (
    <div class="page api">
      <nav class="api-nav" aria-label={t.value.apiTitle}>
        {api.groups.map(({ name, operations }) => (
          <div key={name}>
            <h2>{name}</h2>
            <ul>
              {operations.map((operation) => (
                <li key={operation.id}>
                  <button type="button" class="api-link" onClick={() => show(operation.id)}>
                    <span class="method" data-method={operation.method}>
                      {operation.method}
                    </span>
                    <span>{operation.path.replace(/^\/api/, "")}</span>
                  </button>
                </li>
              ))}
            </ul>
          </div>
        ))}
      </nav>
      <div class="api-body">
        <header class="api-head">
          <h1>
            {api.title} {t.value.apiTitle}
          </h1>
          <p class="muted">
            {api.version} · <a href={href("/api/openapi.json")}>{t.value.rawSpec}</a>
          </p>
          {api.description && <p class="prose">{api.description}</p>}
        </header>
        {api.groups.map(({ name, operations }) => (
          <section key={name}>
            <h2 class="api-group">{name}</h2>
            {operations.map((operation) => (
              <OperationView key={operation.id} operation={operation} />
            ))}
          </section>
        ))}
        {api.schemas.length > 0 && (
          <section>
            <h2 class="api-group">{t.value.schemas}</h2>
            {api.schemas.map((schema) => (
              <SchemaView key={schema.name} schema={schema} />
            ))}
          </section>
        )}
      </div>
    </div>
  );
}

function OperationView({ operation }: { operation: Operation }) {
  const { body, parameters, answers } = operation;
  return (
    <article class="operation" id={operation.id} tabIndex={-1}>
      <h3>
        <span class="method" data-method={operation.method}>
          {operation.method}
        </span>
        <code>{operation.path}</code>
        {operation.deprecated && <span class="kind">{t.value.deprecated}</span>}
      </h3>
      {operation.summary && <p class="operation-summary">{operation.summary}</p>}
      {operation.description && operation.description !== operation.summary && (
        <p class="prose">{operation.description}</p>
      )}
      {parameters.length > 0 && (
        <>
          <h4>{t.value.parameters}</h4>
          <Fields fields={parameters.map((field) => ({ ...field, name: `${field.name} (${field.place})` }))} />
        </>
      )}
      {body && (
        <>
          <h4>
            {t.value.body} <span class="muted">{body.type}</span>
          </h4>
          <Fields fields={body.fields} />
          {body.example && (
            <details>
              <summary>{t.value.example}</summary>
              <pre class="code">{body.example}</pre>
            </details>
          )}
        </>
      )}
      <h4>{t.value.responses}</h4>
      <ul class="answers">
        {answers.map(({ status, description, type }) => (
          <li key={status}>
            <span class="status" data-ok={status.startsWith("2") || undefined}>
              {status}
            </span>
            <span>{description}</span>
            {type && <code>{type}</code>}
          </li>
        ))}
      </ul>
    </article>
  );
}

function SchemaView({ schema }: { schema: Schema }) {
  return (
    <details class="operation">
      <summary>
        <code>{schema.name}</code>
        {schema.fields.length === 0 && <span class="muted"> {schema.type}</span>}
      </summary>
      {schema.description && <p class="prose">{schema.description}</p>}
      <Fields fields={schema.fields} />
    </details>
  );
}

function Fields({ fields }: { fields: Field[] }) {
  if (fields.length === 0) return null;
  return (
    <div class="table-box">
      <table>
        <thead>
          <tr>
            <th scope="col">{t.value.name}</th>
            <th scope="col">{t.value.type}</th>
            <th scope="col">{t.value.meaning}</th>
          </tr>
        </thead>
        <tbody>
          {fields.map(({ name, type, required, description }) => (
            <tr key={name}>
              <td>
                <code>{name}</code> {required && <span class="required">{t.value.required}</span>}
              </td>
              <td>{type}</td>
              <td>{description}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function show(id: string): void {
  const target = document.getElementById(id);
  target?.scrollIntoView();
  target?.focus({ preventScroll: true });
}
