import {
  OperationNodeTransformer,
  RawNode,
  type ColumnDefinitionNode,
  type KyselyPlugin,
  type PluginTransformQueryArgs,
  type PluginTransformResultArgs,
  type QueryResult,
  type QueryId,
  type RootOperationNode,
  type UnknownRow,
} from 'kysely';

/**
 * Text of the tables is compared and sorted by its bytes, as in SQLite, and not by the language of the database:
 * pages and tickets are told apart by it, and an upgrade of the system's languages can't break an index.
 */
export class ByteOrderPlugin implements KyselyPlugin {
  readonly #transformer = new ByteOrder();

  transformQuery({ node, queryId }: PluginTransformQueryArgs): RootOperationNode {
    const schema = node.kind === 'CreateTableNode' || node.kind === 'AlterTableNode';
    return schema ? this.#transformer.transformNode(node, queryId) : node;
  }
  transformResult({ result }: PluginTransformResultArgs): Promise<QueryResult<UnknownRow>> {
    return Promise.resolve(result);
  }
}

class ByteOrder extends OperationNodeTransformer {
  protected override transformColumnDefinition(
    node: ColumnDefinitionNode,
    queryId?: QueryId,
  ): ColumnDefinitionNode {
    const { dataType } = node;
    const isText = dataType.kind === 'DataTypeNode' && 'dataType' in dataType && dataType.dataType === 'text';
    const column = isText ? { ...node, dataType: RawNode.createWithSql('text collate "C"') } : node;
    return super.transformColumnDefinition(column, queryId);
  }
}
