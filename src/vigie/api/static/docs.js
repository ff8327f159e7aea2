"use strict";
// Everything from the description goes into text nodes: a feature may be called anything.
const at = (id) => document.getElementById(id);

function row(table, ...cells) {
  const line = table.insertRow();
  for (const [index, text] of cells.entries()) {
    const cell = line.insertCell();
    const node = index === 0 ? cell.appendChild(document.createElement("code")) : cell;
    node.textContent = text;
  }
}

function show(description) {
  document.title = description.info.title;
  at("title").textContent = `${description.info.title}, version ${description.info.version}`;
  at("summary").textContent = description.info.description;
  const features = description.components.schemas.Features;
  for (const [name, feature] of Object.entries(features.properties ?? {})) {
    row(at("features"), name, [feature.type].flat().join(" or "), [feature.description, ...(feature.examples ?? [])].join(" · "));
  }
  at("body").value = JSON.stringify(features.example ?? {}, null, 2);
  for (const [path, operations] of Object.entries(description.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      row(at("routes"), `${method.toUpperCase()} ${path}`, operation.description ?? "", Object.keys(operation.responses).join(", "));
    }
  }
}

// The key is typed here, kept in its field alone, and sent as a header: never in an address, a cookie or a store.
function ask(path, options = {}) {
  const key = at("key").value.trim();
  const authorization = key ? { Authorization: `Bearer ${key}` } : {};
  return fetch(path, { ...options, headers: { ...options.headers, ...authorization } });
}

async function send() {
  const options = { method: "POST", headers: { "Content-Type": "application/json" }, body: at("body").value };
  try {
    const response = await ask("/predict", options);
    at("answer").textContent = `${response.status}\n${JSON.stringify(await response.json(), null, 2)}`;
  } catch (error) {
    at("answer").textContent = `The server did not answer: ${error.message}`;
  }
}

async function describe() {
  try {
    const response = await ask("/openapi.json");
    const description = await response.json();
    at("access").hidden = response.ok && at("key").value === "";
    if (response.ok) {
      at("features").replaceChildren();
      at("routes").replaceChildren();
      show(description);
    } else {
      at("summary").textContent = `${description.title}. ${description.detail}`;
    }
  } catch (error) {
    at("summary").textContent = `The description cannot be read: ${error.message}`;
  }
}

at("send").addEventListener("click", send);
at("open").addEventListener("click", describe);
describe();
